import { BuildError } from '@kiln/diagnostics';
import { formatDependency } from '@kiln/rpm-package';
import { describe, expect, it } from 'vitest';
import { readImageDefinition, type ImageDefinition } from '../src/index.ts';
import { hashTreeMiB } from '../src/verity-root.ts';
import { memoryFiles } from './memory-files.ts';

const esp = { ID: 'esp', Flags: ['esp'], Start: 1, End: 9, FsType: 'fat32' };
const rootfs = { ID: 'rootfs', Start: 9, End: 265, FsType: 'erofs' };
const digests = { ID: 'digests', Start: 265, End: 268 };
const settings = [
  { ID: 'esp', MountPoint: '/boot/efi' },
  { ID: 'rootfs', MountPoint: '/' },
];

function read(
  system: object,
  partitions: readonly object[] = [esp, rootfs, digests],
  artifact = 'raw',
): ImageDefinition {
  const plain = {
    Name: 'One',
    Packages: ['bash'],
    BootType: 'efi',
    UnifiedKernelImage: true,
    KernelOptions: { default: 'kernel' },
    PartitionSettings: settings,
  };
  const disk = { PartitionTableType: 'gpt', MaxSize: 300, Artifacts: [{ Type: artifact }], Partitions: partitions };
  const config = { Disks: [disk], SystemConfigs: [{ ...plain, ...system }] };
  return readImageDefinition('disk.json', memoryFiles({ 'disk.json': config }));
}

/** The first problem. */
function problem(...parameters: Parameters<typeof read>): string {
  try {
    read(...parameters);
  } catch (error) {
    if (error instanceof BuildError) return error.diagnostics[0]?.message ?? error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a root that dm-verity protects', () => {
  it('is resolved, with the stub instead of a boot loader', () => {
    const verity = { Enable: true, HashPartition: 'digests', VerityErrorBehavior: 'panic' };
    const { disk, boot, packages } = read({ ReadOnlyVerityRoot: verity, SecureBoot: true });
    expect(disk!.verity).toEqual({ name: 'verity_root_fs', hashPartition: 'digests', onCorruption: 'panic' });
    expect(boot).toMatchObject({ type: 'efi', unifiedKernel: { secureBoot: true } });
    expect(packages.map(({ dependency }) => formatDependency(dependency))).toEqual(['bash', 'kernel', 'systemd-boot']);
  });

  it('is not there when it is not enabled', () => {
    const { disk, boot } = read({
      ReadOnlyVerityRoot: { HashPartition: 'nothing' },
      UnifiedKernelImage: false,
      BootType: 'none',
    });
    expect([disk!.verity, boot.unifiedKernel]).toEqual([undefined, undefined]);
  });

  it('needs room as veritysetup says', () => {
    // `veritysetup format` of files of 1, 256, 1000 and 4096 MiB makes files of 16384, 2121728, 8265728, 33824768 bytes.
    expect([1, 256, 1000, 4096].map(hashTreeMiB)).toEqual([1, 3, 8, 33]);
  });

  const on = (more: object = {}) => ({ ReadOnlyVerityRoot: { Enable: true, HashPartition: 'digests', ...more } });
  it.each<[string, Parameters<typeof read>, string]>([
    [
      'no partition for digests',
      [{ ReadOnlyVerityRoot: { Enable: true } }],
      "'ReadOnlyVerityRoot' needs 'HashPartition'",
    ],
    ['one that is not there', [on({ HashPartition: 'hash' })], "there is no partition 'hash'"],
    ['the root itself', [on({ HashPartition: 'rootfs' })], "'rootfs' has a file system: there is no room"],
    [
      'one that is too small',
      [on(), [esp, rootfs, { ...digests, End: 267 }]],
      "'digests' has 2 MiB, and the digests of 'rootfs' (256 MiB) need 3",
    ],
    ['a boot loader', [{ ...on(), UnifiedKernelImage: false }], "needs a 'UnifiedKernelImage', which holds it"],
    [
      'parts that are not built',
      [on({ ValidateOnBoot: true })],
      "'ValidateOnBoot' is known but not built: the kernel itself maps the root",
    ],
    ['a behaviour that is none', [on({ VerityErrorBehavior: 'panik' })], "did you mean 'panic'?"],
    ['a unified kernel for a BIOS', [{ BootType: 'legacy' }], "'UnifiedKernelImage' needs the boot type 'efi'"],
    [
      'signatures without one',
      [{ UnifiedKernelImage: false, SecureBoot: true }],
      "'SecureBoot' needs a 'UnifiedKernelImage'",
    ],
    [
      'what would not be signed',
      [{ SecureBoot: true }, [{ ...esp, Artifacts: [{ Type: 'raw', Name: 'esp' }] }, rootfs, digests]],
      "an artifact of the partition 'esp' would not be signed",
    ],
    [
      'an artifact of none',
      [{ UnifiedKernelImage: false }, [esp, rootfs, digests], 'uki'],
      "an artifact of type 'uki' needs a 'UnifiedKernelImage'",
    ],
  ])('refuses %s', (_, parameters, expected) => {
    expect(problem(...parameters)).toContain(expected);
  });
});
