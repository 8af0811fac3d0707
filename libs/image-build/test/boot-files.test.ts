import { sha256 } from '@kiln/build-identity';
import type { DiskDefinition, PartitionDefinition } from '@kiln/image-config';
import { afterAll, describe, expect, it } from 'vitest';
import { biosLoaderModules, bootFiles, quotedForGrub } from '../src/boot-files.ts';
import { planDisk } from '../src/disk-plan.ts';
import { smallImage } from './small-image.ts';
import { removeTemporaryDirectories } from './tool-root.ts';

const partition = (id: string, point: string, more: object): PartitionDefinition => ({
  ...{ id, name: '', isActive: false, startMiB: 1, endMiB: 2, artifacts: [], fileSystem: 'ext4' },
  mount: { point, options: 'defaults' },
  identifier: 'partuuid',
  ...more,
});
const esp = partition('esp', '/boot/efi', { fileSystem: 'fat32', role: 'esp' });
const root = partition('root', '/', {});
const boot = partition('boot', '/boot', {});

/** The line of the menu that starts the kernel, without the values of UUIDs; and the file itself. */
function kernelLine(partitions: readonly PartitionDefinition[], fips: boolean): string {
  const disk: DiskDefinition = { table: 'gpt', sizeMiB: 10, partitions };
  const { definition } = smallImage([], {
    disk,
    boot: { type: 'efi', commandLine: ['quiet'], ...(fips ? { fips: true } : {}) },
  });
  const plan = planDisk(disk, sha256('one'));
  const files = bootFiles(definition, plan, [{ version: '9.1', hasInitrd: false, hasFips: fips }]);
  const menu = files['/boot/grub2/grub.cfg']!;
  return /^ +linux (.*)$/m.exec(menu)![1]!.replaceAll(/UUID=[0-9a-f-]{36}/g, 'UUID');
}

afterAll(removeTemporaryDirectories);

it.each([
  ['console=ttyS0,115200 a.b=c,d', 'console=ttyS0,115200 a.b=c,d'],
  ['memmap=64M$0x1000 a=b;c#d&e|f<g>h', String.raw`memmap=64M\$0x1000 a=b\;c\#d\&e\|f\<g\>h`],
  [`a=it's`, String.raw`a=it\'s`],
  ['dyndbg="file a +p; file b$c +p" x;', String.raw`dyndbg="file a +p; file b\$c +p" x\;`],
  [String.raw`memmap=64M\$0x1000`, String.raw`memmap=64M\$0x1000`],
])('the language of the boot loader does not take part of the words for its own: %s', (words, expected) => {
  expect(quotedForGrub(words)).toBe(expected);
});

describe('the command line of the kernel', () => {
  it('names the partition with the kernel when FIPS is on and it is not that of the root', () => {
    expect(kernelLine([esp, root], true)).toBe('/boot/vmlinuz-9.1 root=PARTUUID rootfstype=ext4 quiet');
    expect(kernelLine([esp, root, boot], true)).toBe('/vmlinuz-9.1 root=PARTUUID rootfstype=ext4 boot=UUID quiet');
    expect(kernelLine([esp, root, boot], false)).toBe('/vmlinuz-9.1 root=PARTUUID rootfstype=ext4 quiet');
  });
});

it('names partitions in fstab as the definition wants, swap space too', () => {
  const swap: PartitionDefinition = { ...root, id: 'swap', fileSystem: 'linux-swap', identifier: 'uuid' };
  const { mount: _, ...unmounted } = swap;
  const labelled = { ...partition('home', '/home', {}), name: 'a \\ name', identifier: 'partlabel' as const };
  const { definition } = smallImage([], {});
  const plan = planDisk({ table: 'gpt', sizeMiB: 10, partitions: [root, labelled, unmounted] }, sha256('one'));
  expect(bootFiles(definition, plan, [])['/etc/fstab']!.split('\n')).toEqual([
    `PARTUUID=${plan.partitions[0]!.partUuid} / ext4 defaults 0 1`,
    // As getmntent(3) reads it.
    String.raw`PARTLABEL=a\040\134\040name /home ext4 defaults 0 2`,
    `UUID=${plan.partitions[2]!.fileSystemUuid} none swap sw 0 0`,
    '',
  ]);
});

describe('an XFS root', () => {
  const plan = (fileSystem: 'ext4' | 'xfs', more: readonly PartitionDefinition[] = []) =>
    planDisk({ table: 'gpt', sizeMiB: 10, partitions: [{ ...root, fileSystem }, ...more] }, sha256('one'));

  it('is not checked by programs when it is mounted', () => {
    const { definition } = smallImage([], {});
    const line = (fileSystem: 'ext4' | 'xfs') => bootFiles(definition, plan(fileSystem), [])['/etc/fstab'];
    expect(line('ext4')).toMatch(/ \/ ext4 defaults 0 1\n$/);
    expect(line('xfs')).toMatch(/ \/ xfs defaults 0 0\n$/);
  });

  it('is read by the boot loader of a BIOS when the kernel is there', () => {
    expect(biosLoaderModules(plan('xfs'))).toContain('xfs');
    expect(biosLoaderModules(plan('xfs', [boot]))).not.toContain('xfs');
    expect(biosLoaderModules(plan('ext4'))).not.toContain('xfs');
  });
});
