import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatDependency } from '@kiln/rpm-package';
import { loadToolchain, toolchainLayerKeys } from '@kiln/toolchain';
import { toolchainSpec } from '../src/toolchain-rpm.ts';

const repository = join(import.meta.dirname, '../../..');
const config = { provider: 'bootstrap', steps: 'toolkit/few/steps.json', lock: 'toolkit/few/lock.json' } as const;
const step = {
  name: 'layout',
  description: 'Directories',
  root: 'seed',
  sources: [],
  needs: [],
  scripts: ['layout.sh'],
};
const lock = {
  libraryCapabilities: ['libc.so.6()(64bit)'],
  perlCapabilities: ['perl(strict) = 1.13'],
  programs: ['/usr/bin/gcc', '/usr/sbin/ldconfig'],
};

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-from-source-'));
  cpSync(join(repository, 'toolkit/toolchain'), join(root, 'toolkit/toolchain'), { recursive: true });
  const seed = (JSON.parse(readFileSync(join(repository, 'toolkit/stage-a/steps.json'), 'utf8')) as { seed: object })
    .seed;
  write(config.steps, {
    ...{ target: 'x86_64-kiln-linux-gnu', specs: 'SPECS', sourceLock: 'debian.lock', seed, members: [] },
    ...{ provides: { gcc: 'gcc', 'gcc-c++': 'gcc' }, steps: [step] },
  });
  write('toolkit/few/scripts/layout.sh', 'mkdir -p "$OUT$SYSROOT/usr"\n');
  write('SPECS/gcc/gcc.spec', 'Name: gcc\nVersion: 14.2.0\n');
  write(config.lock, lock);
});

afterAll(() => rmSync(root, { recursive: true }));

function write(file: string, content: unknown): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
}

test('offers what the table states in the versions of the specs, and what the lock found', () => {
  const planned = loadToolchain(root, config);
  expect(planned.package.provides.map(formatDependency)).toEqual([
    ...['/bin/gcc', '/sbin/ldconfig', '/usr/bin/gcc', '/usr/sbin/ldconfig'],
    ...['gcc = 14.2.0', 'gcc(x86-64) = 14.2.0', 'gcc-c++ = 14.2.0', 'gcc-c++(x86-64) = 14.2.0'],
    ...['libc.so.6()(64bit)', 'perl(strict) = 1.13', 'rtld(GNU_HASH)'],
  ]);
  expect(toolchainLayerKeys(planned)).toHaveLength(3);
  expect(toolchainSpec(planned.package, 'source')).toContain('Summary: Build tools from source, as seen by RPM\n');
});

test('another version, another lock and another step are another toolchain; the same files are the same', () => {
  const identity = () => loadToolchain(root, config).identity;
  const first = identity();
  expect(identity()).toBe(first);
  const seen = new Set([first]);
  const edits: readonly (readonly [string, unknown])[] = [
    ['SPECS/gcc/gcc.spec', 'Name: gcc\nVersion: 14.3.0\n'],
    [config.lock, { ...lock, programs: ['/usr/bin/gcc'] }],
    ['toolkit/few/scripts/layout.sh', ':\n'],
  ];
  for (const [file, content] of edits) {
    const before = readFileSync(join(root, file), 'utf8');
    write(file, content);
    seen.add(identity());
    write(file, before);
  }
  // What stays is what the root has: a script of a step that it keeps nothing of changes nothing.
  expect(seen.size).toBe(3);
});

test.each([
  ['no JSON', 'x', /is not a lock of a bootstrap/],
  ['a list that is none', { ...lock, programs: 1 }, /'programs' is no list of texts/],
  ['a strange program', { ...lock, programs: ['/etc/passwd'] }, /'\/etc\/passwd' is no path of a program/],
])('refuses a lock with %s', (_, content, message) => {
  write(config.lock, content);
  expect(() => loadToolchain(root, config)).toThrow(expect.objectContaining({ code: 'TOOLCHAIN_LOCK_MALFORMED' }));
  expect(() => loadToolchain(root, config)).toThrow(message);
});

test('a version that is made of macros is an error, and so is a missing lock', () => {
  write(config.lock, lock);
  write('SPECS/gcc/gcc.spec', 'Name: gcc\nVersion: %{major}.2\n');
  expect(() => loadToolchain(root, config)).toThrow(/states its version with macros/);
  rmSync(join(root, config.lock));
  expect(() => loadToolchain(root, config)).toThrow(expect.objectContaining({ code: 'TOOLCHAIN_LOCK_MISSING' }));
});
