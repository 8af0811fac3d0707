import type { DiskDefinition, ImageDefinition } from '@kiln/image-config';
import { afterAll, describe, expect, it } from 'vitest';
import { checkGuest } from '../src/guest-checks.ts';
import { smallImage } from './small-image.ts';
import { removeTemporaryDirectories } from './tool-root.ts';

type Answers = Parameters<typeof checkGuest>[0]['answers'];

const disk: DiskDefinition = { table: 'gpt', sizeMiB: 10, partitions: [] };
const verity = { name: 'protected', hashPartition: 'digests', onCorruption: 'panic' } as const;

/** The problems that a check found; undefined when it was left out. */
function found(check: string, answers: Answers, more: Partial<ImageDefinition> = {}): readonly string[] | undefined {
  const { definition } = smallImage([], { disk, ...more });
  const made = checkGuest({ definition, expectedNevras: [], answers, console: '' }).find(({ name }) => name === check)!;
  return made.outcome === 'skipped' ? undefined : made.problems;
}

afterAll(removeTemporaryDirectories);

describe('a started system', () => {
  it('has free space where it can be written to', () => {
    const answers = { free: '20000\n10\n' };
    expect(found('there is free space', answers)).toEqual([]);
    expect(found('there is free space', answers, { disk: { ...disk, verity } })).toEqual([
      'the file system of /var has 10 KiB left',
    ]);
    expect(found('there is free space', { free: '0\n20000\n' }, { disk: { ...disk, verity } })).toEqual([]);
  });

  it('has its root on the device of dm-verity, where that is asked for', () => {
    const check = 'the root is checked by dm-verity';
    expect(found(check, { rootDevice: 'protected\n' })).toBeUndefined();
    expect(found(check, { rootDevice: 'protected\n' }, { disk: { ...disk, verity } })).toEqual([]);
    expect(found(check, { rootDevice: '' }, { disk: { ...disk, verity } })).toEqual([
      "the device of the root is '', not 'protected'",
    ]);
  });

  it('was started with Secure Boot, where that is asked for', () => {
    const boot = (secureBoot: boolean) =>
      ({ boot: { type: 'efi', unifiedKernel: { secureBoot }, commandLine: [] } }) as const;
    expect(found('Secure Boot is on', { secureBoot: '   0\n' }, boot(false))).toBeUndefined();
    expect(found('Secure Boot is on', { secureBoot: '   1\n' }, boot(true))).toEqual([]);
    expect(found('Secure Boot is on', { secureBoot: '   0\n' }, boot(true))).toEqual([
      "the firmware's variable is '0'",
    ]);
  });

  it('has a kernel that was told what the definition says, and did it', () => {
    const boot = { boot: { type: 'efi', fips: true, commandLine: ['fips=1', 'lockdown=integrity'] } } as const;
    const told = 'the kernel was told what the definition says';
    expect(found(told, { commandLine: 'root=/dev/sda1 lockdown=integrity fips=1\n' }, boot)).toEqual([]);
    expect(found(told, { commandLine: 'fips=1\n' }, boot)).toEqual(["'lockdown=integrity' is not in /proc/cmdline"]);
    const fips = 'the kernel keeps to FIPS 140';
    expect(found(fips, { fips: '1\n' })).toBeUndefined();
    expect(found(fips, { fips: '1\n' }, boot)).toEqual([]);
    expect(found(fips, {}, boot)).toEqual(["crypto.fips_enabled is ''"]);
    const lockdown = 'the kernel is locked down';
    expect(found(lockdown, { lockdown: '[none] integrity confidentiality\n' })).toBeUndefined();
    expect(found(lockdown, { lockdown: 'none [integrity] confidentiality\n' }, boot)).toEqual([]);
    expect(found(lockdown, { lockdown: '[none] integrity confidentiality\n' }, boot)).toEqual([
      "it is '[none] integrity confidentiality', not 'integrity'",
    ]);
  });
});
