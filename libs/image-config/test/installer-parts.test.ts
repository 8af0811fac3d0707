/** Installers as Azure Linux defines them: systems to choose from, and nothing to make. */
import { BuildError } from '@kiln/diagnostics';
import { describe, expect, it } from 'vitest';
import { planDefinition, readImageDefinition, type ImageDefinition } from '../src/index.ts';
import { memoryFiles } from './memory-files.ts';

const system = { Name: 'Core', Packages: ['bash'], KernelOptions: { default: 'kernel', lts: 'kernel-lts' } };
const full = {
  ...system,
  Name: 'The Full one!',
  Packages: ['bash', 'vim'],
  KernelCommandLine: { SELinux: 'permissive' },
  EnableHidepid: true,
};
const loader = { ID: 'boot', Start: 1, End: 9, FsType: 'fat32', Flags: ['grub'] };
const rootfs = { ID: 'rootfs', Start: 9, End: 0, FsType: 'ext4' };
const settings = [
  { ID: 'boot', MountPoint: '' },
  { ID: 'rootfs', MountPoint: '/' },
];
const target = { Type: 'path', Value: '/dev/sda' };
const unattended = (disk: object = {}) => ({
  Disks: [{ PartitionTableType: 'gpt', TargetDisk: target, Partitions: [loader, rootfs], ...disk }],
  SystemConfigs: [{ ...system, BootType: 'legacy', PartitionSettings: settings }],
});
const scripted = (more: object = {}, disks: readonly object[] = []) => ({
  Disks: disks,
  SystemConfigs: [
    { ...system, IsKickStartBoot: true, PreInstallScripts: [{ Path: 'divide.sh', Args: '-x' }], ...more },
  ],
});

function read(content: object, reference = 'images/full.json'): ImageDefinition {
  return readImageDefinition(
    reference,
    memoryFiles({ 'images/full.json': content, 'images/divide.sh': { executable: '#!/bin/sh' } }),
  );
}

/** Messages of everything that is wrong. */
function problems(content: object, reference?: string): string[] {
  try {
    read(content, reference);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return (error.diagnostics.length > 0 ? error.diagnostics : [error]).map(({ message }) => message);
  }
  throw new Error('it was accepted');
}

const names = ({ packages }: ImageDefinition) => packages.map(({ dependency }) => dependency.name);

describe('a definition of several systems', () => {
  const content = { SystemConfigs: [full, system] };

  it('is a medium that asks which of them to install', () => {
    const medium = read(content);
    expect(medium.name).toBe('full');
    expect(medium.artifacts).toEqual([{ type: 'iso', fileName: 'full.iso' }]);
    expect(names(medium)).toEqual(expect.arrayContaining(['kiln-installer', 'kernel', 'grub2-pc', 'grub2-efi']));
    expect(names(medium)).not.toContain('vim');
    expect(medium.customization.services.enable).toEqual(['kiln-installer']);
    const common = { commandLine: ['net.ifnames=0'] };
    const archive = (name: string) => ({ type: 'tar.zst', fileName: `${name}.tar.zst` });
    expect(medium.installer).toEqual({
      systems: [
        {
          image: 'full-the-full-one-',
          reference: 'images/full.json#The Full one!',
          title: 'The Full one!',
          commandLine: ['net.ifnames=0', 'security=selinux', 'selinux=1'],
          artifact: archive('full-the-full-one-'),
          hidepid: true,
          selinux: true,
        },
        {
          ...common,
          image: 'full-core',
          reference: 'images/full.json#Core',
          title: 'Core',
          artifact: archive('full-core'),
        },
      ],
    });
    expect(medium.files).toEqual(['images/full.json']);
  });

  it('is each of its systems, too', () => {
    const one = read(content, 'images/full.json#The Full one!');
    expect(one).toMatchObject({ name: 'full-the-full-one-', file: 'images/full.json', hidepid: true });
    expect(names(one)).toEqual(['bash', 'vim', 'kernel']);
    expect(one.artifacts).toEqual([{ type: 'tar.zst', fileName: 'full-the-full-one-.tar.zst' }]);
    expect(one.installer).toBeUndefined();
  });

  it('may have its systems on the medium of another', () => {
    const files = { 'images/full.json': content, 'images/own.json': own('full.json#Core') };
    const { installer } = readImageDefinition('images/own.json', memoryFiles(files));
    expect(installer?.systems.map(({ image }) => image)).toEqual(['full-core']);
    const wrong = (reference: string) => {
      try {
        readImageDefinition('images/own.json', memoryFiles({ ...files, 'images/own.json': own(reference) }));
      } catch (error) {
        return error instanceof BuildError ? [error.message, error.hint] : [];
      }
      return [];
    };
    expect(wrong('full.json')).toEqual([
      "'images/full.json' is an installer itself",
      'name its systems: full.json#The Full one!, full.json#Core',
    ]);
    expect(wrong('full.json#Cor')).toEqual([
      "'images/full.json' has no system 'Cor' to install",
      'its systems are: The Full one!, Core',
    ]);
    expect(wrong('own.json#Own')).toEqual(["'images/own.json' is an installer itself", undefined]);
  });

  it('is refused with artifacts, with one name for two, without kernels', () => {
    const artifacts = [{ Artifacts: [{ Type: 'oci' }] }];
    expect(problems({ Disks: artifacts, ...content })).toEqual([
      "more than one entry of 'SystemConfigs' is not built yet",
    ]);
    expect(
      problems({
        SystemConfigs: [
          { ...full, Name: 'core!' },
          { ...full, Name: 'core?' },
        ],
      }),
    ).toEqual(["'images/full.json#core?' and 'images/full.json#core!' are both called 'full-core-'"]);
    const bare = { Name: 'Bare', Packages: ['bash'] };
    expect(problems({ SystemConfigs: [system, bare] })).toEqual(["'images/full.json#Bare' has no kernel"]);
  });

  it('tells what is not built of any system, and where', () => {
    const encrypted = { ...system, Encryption: { Enable: true } };
    expect(problems({ SystemConfigs: [full, encrypted] })).toEqual([
      "'Encryption' is known but not built: nothing here could open such a root: there is neither an initial RAM disk nor cryptsetup",
    ]);
    expect(read({ SystemConfigs: [full, { ...system, Encryption: { Enable: false } }] }).name).toBe('full');
    const plan = planDefinition('a.json', memoryFiles({ 'a.json': { SystemConfigs: [full, encrypted] } }));
    expect(plan.systems.map(({ name }) => name)).toEqual(['The Full one!', 'Core']);
    expect(plan.artifacts).toEqual([{ name: 'a', kind: 'iso' }]);
    expect(plan.refused.map(({ location }) => location?.file)).toEqual(['a.json']);
  });
});

describe('a definition with a disk to install on', () => {
  it('is a medium that asks nothing, and divides the disk as it says', () => {
    const { installer } = read(unattended());
    expect(installer?.answers).toBe('disk /dev/sda\noverwrite yes\n');
    const common = { name: '', isActive: false, identifier: 'partuuid', artifacts: [] };
    expect(installer?.systems[0]?.disk).toEqual({
      table: 'gpt',
      partitions: [
        { ...common, id: 'boot', role: 'bios-boot', startMiB: 1, endMiB: 9 },
        {
          ...common,
          ...{ id: 'rootfs', fileSystem: 'ext4', startMiB: 9, endMiB: 0 },
          mount: { point: '/', options: 'defaults' },
        },
      ],
    });
    // The system is made without one.
    expect(read(unattended(), 'images/full.json#Core').disk).toBeUndefined();
    expect(planDefinition('a.json', memoryFiles({ 'a.json': unattended() })).partitions).toHaveLength(2);
  });

  it.each<[string, object, string]>([
    [
      'several systems',
      { ...unattended(), SystemConfigs: [system, full].map((one) => ({ ...one, PartitionSettings: settings })) },
      'there are several systems',
    ],
    [
      'a file system that the installer does not make',
      unattended({ Partitions: [loader, { ...rootfs, FsType: 'xfs' }] }),
      "has the partition 'rootfs' of type xfs, which the installer does not make",
    ],
    [
      'five partitions of an MBR',
      unattended({
        PartitionTableType: 'mbr',
        Partitions: [
          loader,
          ...[9, 11, 13].map((Start) => ({ ID: `p${Start}`, Start, End: Start + 2 })),
          { ...rootfs, Start: 15 },
        ],
      }),
      'has 5 partitions, and the installer makes at most 4 of an MBR',
    ],
    [
      'a partition behind the one that takes the rest',
      unattended({ Partitions: [loader, rootfs, { ID: 'more', Start: 50, End: 60 }] }),
      "'more' (50 to 60 MiB) overlaps 'rootfs'",
    ],
    [
      'no place for a boot loader',
      {
        ...unattended({ Partitions: [{ ...loader, Flags: [] }, rootfs] }),
        SystemConfigs: [{ ...system, PartitionSettings: settings }],
      },
      'has no partition for a boot loader',
    ],
    [
      'a unified kernel image',
      {
        ...unattended({ Partitions: [{ ...loader, Flags: ['esp'] }, rootfs] }),
        SystemConfigs: [
          {
            ...system,
            ...{ BootType: 'efi', UnifiedKernelImage: true },
            PartitionSettings: [{ ID: 'boot', MountPoint: '/boot/efi' }, settings[1]],
          },
        ],
      },
      'has a unified kernel image, which is not installed',
    ],
  ])('is refused with %s', (_, content, expected) => {
    expect(problems(content).join('\n')).toContain(expected);
  });
});

describe('a definition whose scripts divide the disk', () => {
  it('is a medium with these scripts, which asks nothing', () => {
    const { installer, files } = read(scripted());
    expect(installer?.answers).toBe('disk by-script\noverwrite yes\n');
    expect(installer?.systems[0]?.partitionScripts).toEqual([{ source: 'images/divide.sh', arguments: '-x' }]);
    expect(files).toContain('images/divide.sh');
  });

  it.each<[string, object, string]>([
    ['partitions', scripted({}, [{ PartitionTableType: 'gpt', Partitions: [loader, rootfs] }]), 'both divide the disk'],
    ['no scripts', scripted({ PreInstallScripts: [] }), "'IsKickStartBoot' needs 'PreInstallScripts'"],
    ['scripts that are not there', scripted({ PreInstallScripts: [{ Path: 'no.sh' }] }), "no file 'images/no.sh'"],
    ['something else to make', scripted({}, [{ Artifacts: [{ Type: 'oci' }] }]), "artifact of type 'tar.zst'"],
  ])('is refused with %s', (_, content, expected) => {
    expect(problems(content).join('\n')).toContain(expected);
  });

  it('alone may have such scripts', () => {
    const { IsKickStartBoot, ...other } = scripted().SystemConfigs[0]!;
    expect(IsKickStartBoot).toBe(true);
    expect(problems({ SystemConfigs: [other, full] })).toContain("'PreInstallScripts' have no effect");
  });
});

function own(reference: string): object {
  return {
    Disks: [{ Artifacts: [{ Type: 'iso' }] }],
    SystemConfigs: [{ ...system, Name: 'Own', Installer: { Systems: [reference] } }],
  };
}
