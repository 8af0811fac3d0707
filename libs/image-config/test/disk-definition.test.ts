import { BuildError } from '@kiln/diagnostics';
import { formatDependency } from '@kiln/rpm-package';
import { describe, expect, it } from 'vitest';
import { readImageDefinition, type ImageDefinition } from '../src/index.ts';
import { memoryFiles } from './memory-files.ts';

const boot = { ID: 'boot', Flags: ['esp', 'boot'], Start: 1, End: 9, FsType: 'fat32' };
const rootfs = { ID: 'rootfs', Start: 9, End: 0, FsType: 'ext4', Name: 'root' };
const settings = [
  { ID: 'boot', MountPoint: '/boot/efi', MountOptions: 'umask=0077' },
  { ID: 'rootfs', MountPoint: '/' },
];

/** Partitions of a MiB each. */
const bare = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ID: `bare-${first + index}`,
    Start: first + index,
    End: first + index + 1,
  }));

function read(disk: object, system: object = {}): ImageDefinition {
  const base = {
    PartitionTableType: 'gpt',
    MaxSize: 64,
    Artifacts: [{ Type: 'raw' }],
    Partitions: [boot, rootfs],
  };
  const plain = { Name: 'One', Packages: ['bash'], BootType: 'efi', KernelOptions: { default: 'kernel' } };
  const config = {
    Disks: [{ ...base, ...disk }],
    SystemConfigs: [{ ...plain, PartitionSettings: settings, ...system }],
  };
  return readImageDefinition(
    'disk.json',
    memoryFiles({ 'disk.json': config, meta: 'instance-id: "one" # it\n', user: '#cloud-config\n' }),
  );
}

/** The first problem. */
function problem(disk: object, system: object = {}): string {
  try {
    read(disk, system);
  } catch (error) {
    if (error instanceof BuildError) return error.diagnostics[0]?.message ?? error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('disks', () => {
  it('resolves partitions, mounts, kernel and boot loader', () => {
    const {
      disk,
      boot: start,
      packages,
    } = read(
      { Artifacts: [{ Type: 'raw', Compression: 'zst' }, { Type: 'vhd' }] },
      { KernelCommandLine: { CGroup: 'version_two', ExtraCommandLine: ' console=ttyS0  quiet' } },
    );
    expect(packages.map(({ dependency }) => formatDependency(dependency))).toEqual([
      'bash',
      'kernel',
      'grub2-efi-binary',
    ]);
    expect(start).toEqual({
      type: 'efi',
      commandLine: ['net.ifnames=0', 'systemd.unified_cgroup_hierarchy=1', 'console=ttyS0', 'quiet'],
    });
    expect(disk).toEqual({
      table: 'gpt',
      sizeMiB: 64,
      partitions: [
        {
          id: 'boot',
          name: '',
          fileSystem: 'fat32',
          role: 'esp',
          isActive: true,
          startMiB: 1,
          endMiB: 9,
          mount: { point: '/boot/efi', options: 'umask=0077' },
          identifier: 'partuuid',
          artifacts: [],
        },
        {
          id: 'rootfs',
          name: 'root',
          fileSystem: 'ext4',
          isActive: false,
          startMiB: 9,
          // The last MiB of a disk with a GPT is its second table's.
          endMiB: 63,
          mount: { point: '/', options: 'defaults' },
          identifier: 'partuuid',
          artifacts: [],
        },
      ],
    });
  });

  it('names the files of artifacts with their compression, also those of partitions', () => {
    const one = { ...rootfs, Artifacts: [{ Name: 'root', Type: 'ext4', Compression: 'gz' }] };
    const { artifacts, disk } = read({
      Artifacts: [{ Type: 'raw', Compression: 'zst' }, { Type: 'vhd' }, { Type: 'vhd-dynamic' }],
      Partitions: [boot, one],
    });
    expect(artifacts.map(({ fileName }) => fileName)).toEqual(['disk.raw.zst', 'disk.vhd', 'disk.dynamic.vhd']);
    expect(disk!.partitions[1]!.artifacts).toEqual([{ type: 'ext4', compression: 'gz', fileName: 'root.ext4.gz' }]);
  });

  it.each([
    [
      'overlapping partitions',
      { Partitions: [boot, { ...rootfs, Start: 8 }] },
      "'rootfs' (8 to 63 MiB) overlaps 'boot' (1 to 9 MiB)",
    ],
    [
      'a partition behind the end',
      { Partitions: [boot, { ...rootfs, End: 64 }] },
      'use the disk up to 63 MiB; the last MiB',
    ],
    [
      'a partition without room',
      { Partitions: [boot, { ...rootfs, Start: 9, End: 9 }] },
      'ends at 9 MiB, not after its start',
    ],
    [
      'a partition over the table',
      { Partitions: [{ ...boot, Start: 0 }, rootfs] },
      'the first MiB, which holds the partition table',
    ],
    ['two partitions of one ID', { Partitions: [boot, { ...rootfs, ID: 'boot' }] }, "'boot' is there twice"],
    ['an unknown type', { Partitions: [boot, { ...rootfs, Type: 'linux-rot' }] }, "unknown type 'linux-rot'"],
    ['no size', { MaxSize: 0 }, "needs 'MaxSize'"],
    ['no table', { PartitionTableType: '' }, "needs 'PartitionTableType'"],
    ['a disk without partitions', { Partitions: [] }, 'is made from a disk, and this one has no partitions'],
    [
      'a partition that is too small for xfs',
      { Partitions: [boot, { ...rootfs, FsType: 'xfs' }] },
      "'rootfs' has 54 MiB, and xfs needs at least 300",
    ],
    [
      "a type that is a word of the language's",
      { Partitions: [boot, { ...rootfs, Type: 'constructor' }] },
      "unknown type 'constructor'",
    ],
    ['a disk larger than all', { MaxSize: 2 ** 26 + 1 }, "'MaxSize' must be <= 67108864"],
    ['a large MBR', { PartitionTableType: 'mbr', MaxSize: 2 ** 21 + 1 }, 'an MBR reaches up to 2097152 MiB'],
    ['a large VHD', { MaxSize: 2040 * 1024 + 1, Artifacts: [{ Type: 'vhd' }] }, 'a VHD has at most 2088960 MiB'],
    [
      'many partitions',
      { MaxSize: 200, Partitions: [boot, { ...rootfs, Start: 150 }, ...bare(9, 127)] },
      'a GPT has at most 128',
    ],
    [
      'a type in an MBR',
      { PartitionTableType: 'mbr', Partitions: [boot, { ...rootfs, Type: 'linux' }] },
      "'rootfs' has a type that only a GPT knows",
    ],
    [
      'a logical partition of the one MiB that its table has',
      { PartitionTableType: 'mbr', Partitions: [boot, { ...rootfs, End: 20 }, ...bare(20, 3)] },
      "'bare-21' has no room: the first MiB is a table's in the extended partition, which begins at 21 MiB",
    ],
    [
      'a primary partition among logical ones',
      { PartitionTableType: 'mbr', Partitions: [boot, { ...rootfs, Start: 30 }, ...bare(9, 3)] },
      "'rootfs' lies in the extended partition, which begins at 10 MiB",
    ],
    [
      'an artifact of a partition with nothing in it',
      { Partitions: [boot, { ...rootfs, End: 20 }, { ...bare(20, 1)[0], Artifacts: [{ Type: 'raw', Name: 'a' }] }] },
      "the partition 'bare-20' has no file system to make an artifact of",
    ],
    [
      'an artifact of another type than its partition',
      { Partitions: [boot, { ...rootfs, Artifacts: [{ Type: 'xfs', Name: 'a' }] }] },
      "the partition 'rootfs' is of type ext4, not xfs",
    ],
    [
      'two artifacts of one name',
      {
        Artifacts: [
          { Type: 'vhd', Name: 'a.dynamic' },
          { Type: 'vhd-dynamic', Name: 'a' },
        ],
      },
      "two artifacts are called 'a.dynamic.vhd'",
    ],
    [
      'a kernel that the boot loader does not find',
      { Partitions: [boot, { ...rootfs, FsType: 'erofs' }] },
      "the boot loader can't read the kernel from 'rootfs', which is of type erofs",
    ],
    [
      'a root with neither owners nor links',
      { Partitions: [boot, { ...rootfs, FsType: 'vfat' }] },
      "'rootfs' can't be the root",
    ],
  ])('refuses %s', (_, disk, expected) => {
    expect(problem(disk)).toContain(expected);
  });

  it.each([
    ['no root', { PartitionSettings: settings.slice(0, 1) }, 'no partition is mounted on /'],
    ['a partition that is not there', { PartitionSettings: [...settings, { ID: 'rotfs' }] }, "no partition 'rotfs'"],
    [
      'a path that is none',
      { PartitionSettings: [{ ID: 'boot', MountPoint: 'boot/' }, settings[1]] },
      "'boot/' is not an absolute path",
    ],
    [
      'one place for two',
      {
        PartitionSettings: [
          { ID: 'boot', MountPoint: '/srv' },
          { ID: 'rootfs', MountPoint: '/srv' },
        ],
      },
      "two partitions are mounted on '/srv'",
    ],
    [
      'a label that is not there',
      { PartitionSettings: [{ ...settings[0], MountIdentifier: 'partlabel' }, settings[1]] },
      "'partlabel'",
    ],
    [
      'settings of one partition twice',
      { PartitionSettings: [...settings, { ID: 'rootfs', MountPoint: '/home' }] },
      "'rootfs' has settings twice",
    ],
    [
      'options that fstab has no place for',
      { PartitionSettings: [settings[0], { ...settings[1], MountOptions: 'ro 0 0\n/dev/sdb' }] },
      "the mount options of 'rootfs' have a blank",
    ],
    [
      'places that a system makes itself',
      { PartitionSettings: [{ ID: 'boot', MountPoint: '/proc/efi' }, settings[1]] },
      "nothing of a disk can be mounted on '/proc/efi'",
    ],
    [
      'UEFI without its partition',
      { PartitionSettings: settings.slice(1) },
      "flag 'esp' and a FAT file system that is mounted",
    ],
    ['a BIOS without room for its loader', { BootType: 'legacy' }, "flag 'bios_grub'"],
    ['no kernel', { KernelOptions: {} }, 'an image that boots needs a kernel'],
  ])('refuses %s', (_, system, expected) => {
    expect(problem({}, system)).toContain(expected);
  });
});

it('refuses names for fstab that a partition does not have, or not alone', () => {
  const named = (identifier: string) => ({
    PartitionSettings: [settings[0], { ...settings[1], MountIdentifier: identifier }],
  });
  const other = { ...rootfs, ID: 'other', Start: 20 };
  expect(problem({ Partitions: [boot, { ...rootfs, End: 20 }, other] }, named('partlabel'))).toBe(
    "partition 'rootfs' can't be found by 'partlabel': 'other' has the same 'Name'",
  );
  expect(problem({ Partitions: [boot, { ...rootfs, FsType: 'squashfs' }] }, named('uuid'))).toBe(
    "the partition 'rootfs' can't be found by 'uuid': squashfs has none",
  );
});

it('has the name by which fstab calls a partition, of swap space too', () => {
  const swap = { ID: 'swap', FsType: 'linux-swap', Start: 20, End: 0 };
  const PartitionSettings = [...settings, { ID: 'swap', MountIdentifier: 'uuid' }];
  const { disk } = read({ Partitions: [boot, { ...rootfs, End: 20 }, swap] }, { PartitionSettings });
  expect(disk!.partitions.map(({ identifier }) => identifier)).toEqual(['partuuid', 'partuuid', 'uuid']);
});

describe('ISO images', () => {
  const system = { BootType: '', PartitionSettings: [] };

  it('have boot loaders for both kinds of firmware', () => {
    const { packages, disk, artifacts } = read({ Artifacts: [{ Type: 'iso' }], Partitions: [] }, system);
    const names = packages.map(({ dependency }) => formatDependency(dependency));
    expect(names).toEqual(['bash', 'kernel', 'grub2-pc', 'grub2-efi']);
    expect(disk).toBeUndefined();
    expect(artifacts).toEqual([{ type: 'iso', fileName: 'disk.iso' }]);
  });

  it('need a kernel and have no partitions', () => {
    const noKernel = problem({ Artifacts: [{ Type: 'iso' }], Partitions: [] }, { ...system, KernelOptions: {} });
    expect(noKernel).toBe('an ISO image needs a kernel');
    const withDisk = problem({ Artifacts: [{ Type: 'iso', Compression: 'xz' }] });
    expect(withDisk).toBe('an ISO image is made of a system without partitions');
  });
});

describe('seeds', () => {
  const more = { Artifacts: [{ Type: 'raw' }, { Type: 'seed' }] };

  it('name the files and the machine that they are for', () => {
    const { seed, files } = read(more, { Seed: { MetaData: 'meta', UserData: 'user' } });
    expect(seed).toEqual({ files: { 'meta-data': 'meta', 'user-data': 'user' }, instanceId: 'one' });
    expect(files).toEqual(['disk.json', 'meta', 'user']);
  });

  it('say what they lack', () => {
    expect(problem(more)).toBe("an artifact of type 'seed' needs 'Seed'");
    expect(problem({}, { Seed: { MetaData: 'meta' } })).toBe("'Seed' has no effect");
    expect(problem(more, { Seed: { MetaData: 'user' } })).toBe("there is no 'instance-id' in it");
    expect(problem(more, { Seed: { MetaData: 'none' } })).toBe("there is no file 'none'");
    expect(problem(more, { Seed: { UserData: 'user' } })).toContain("'MetaData'");
  });
});

describe('raw binaries', () => {
  const binary = { BinPath: 'boot/spl.bin', BlockSize: 1024, Seek: 33 };
  const disk = { PartitionTableType: 'gpt', MaxSize: 64, Artifacts: [{ Type: 'raw' }], Partitions: [boot, rootfs] };
  const system = { Name: 'One', Packages: ['bash'], PartitionSettings: [{ ID: 'rootfs', MountPoint: '/' }] };
  const readWith = (more: object) =>
    readImageDefinition(
      'images/board.json',
      memoryFiles({
        'images/board.json': { Disks: [{ ...disk, ...more }], SystemConfigs: [system] },
        'images/boot/spl.bin': 'program',
      }),
    );

  it('are files beside the definition, at places in bytes', () => {
    const { disk: made, files } = readWith({ RawBinaries: [binary, { ...binary, Seek: 100 }] });
    const source = 'images/boot/spl.bin';
    expect(made?.rawBinaries).toEqual([
      { source, offset: 33 * 1024 },
      { source, offset: 100 * 1024 },
    ]);
    expect(files).toContain(source);
    expect(readWith({ RawBinaries: [] }).disk).not.toHaveProperty('rawBinaries');
  });

  it.each([
    [{ RawBinaries: [{ ...binary, BinPath: 'none' }] }, "there is no file 'images/none'"],
    [{ RawBinaries: [{ BinPath: 'boot/spl.bin' }] }, "needs the member 'BlockSize'"],
    [{ RawBinaries: [binary], Partitions: [], Artifacts: [{ Type: 'oci' }] }, 'need a disk with'],
  ])('are refused when they are %j', (more, expected) => {
    expect(() => readWith(more)).toThrow(expected);
  });
});

describe('installers', () => {
  const system = {
    KernelOptions: { default: 'kernel' },
    Name: 'A server',
    Packages: ['bash'],
    KernelCommandLine: { ExtraCommandLine: 'quiet' },
  };
  const files = {
    'server.json': { Disks: [{ Artifacts: [{ Type: 'tar.zst' }] }], SystemConfigs: [system] },
    'packed.json': {
      Disks: [{ Artifacts: [{ Type: 'tar.zst', Name: 'p', Compression: 'xz' }] }],
      SystemConfigs: [system],
    },
    'bare.json': {
      Disks: [{ Artifacts: [{ Type: 'tar.zst' }] }],
      SystemConfigs: [{ Name: 'Bare', Packages: ['bash'], KernelCommandLine: { SELinux: 'enforcing' } }],
    },
    answers: 'disk /dev/sda\n',
  };
  const config = (installer: object, disk: object = {}, artifact = 'iso') => ({
    Disks: [{ Artifacts: [{ Type: artifact }], ...disk }],
    SystemConfigs: [
      {
        Name: 'One',
        Packages: ['bash'],
        KernelOptions: { default: 'kernel' },
        Installer: { Systems: ['server.json'], ...installer },
      },
    ],
  });
  const readInstaller = (...[installer, disk, artifact]: Parameters<typeof config>) =>
    readImageDefinition('medium.json', memoryFiles({ ...files, 'medium.json': config(installer, disk, artifact) }));
  const refusal = (...words: Parameters<typeof config>) => {
    try {
      readInstaller(...words);
    } catch (error) {
      if (error instanceof BuildError) return error.diagnostics[0]?.message ?? error.message;
      throw error;
    }
    throw new Error('it was accepted');
  };

  it('name the systems that they install', () => {
    const { installer, files: read } = readInstaller({});
    expect(installer).toEqual({
      systems: [
        {
          image: 'server',
          reference: 'server.json',
          title: 'A server',
          commandLine: ['net.ifnames=0', 'quiet'],
          artifact: { type: 'tar.zst', fileName: 'server.tar.zst' },
        },
      ],
    });
    expect(read).toEqual(['medium.json', 'server.json']);
  });

  it('may have answers, or a disk that Azure Linux calls the target', () => {
    expect(readInstaller({ Answers: 'answers' }).installer?.answers).toBe('disk /dev/sda\n');
    const target = { TargetDisk: { Type: 'path', Value: '/dev/nvme0n1' } };
    expect(readInstaller({}, target).installer?.answers).toBe('disk /dev/nvme0n1\noverwrite yes\n');
    expect(refusal({ Answers: 'answers' }, target)).toBe("'Answers' and 'TargetDisk' both say where to install");
    expect(problem({ TargetDisk: { Type: 'path', Value: '/dev/sda' } })).toBe(
      "'TargetDisk' is only built with 'Installer'",
    );
  });

  it('say what is wrong with a system', () => {
    expect(refusal({}, {}, 'oci')).toBe("'Installer' has no effect");
    expect(refusal({ Systems: [] })).toContain("'Systems' must not be empty");
    expect(refusal({ Systems: ['server.json', 'server.json'] })).toBe("'server.json' is there twice");
    expect(refusal({ Systems: ['bare.json'] })).toBe("'bare.json' has no kernel");
    expect(refusal({ Systems: ['none.json'] })).toBe("there is no file 'none.json'");
    expect(refusal({ Systems: ['parts/server.json'] })).toBe(
      "'parts/server.json' is not in the directory of 'medium.json'",
    );
    expect(refusal({ Systems: ['medium.json'] })).toBe("'medium.json' is an installer itself");
    expect(refusal({ Systems: ['packed.json'] })).toBe(
      "'packed.json' has no artifact of type 'tar.zst', of which a system is installed",
    );
  });
});
