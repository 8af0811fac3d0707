import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { normalizedFileDigest, readElf } from '@kiln/build-identity';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-elf-'));
  writeFileSync(join(directory, 'lib.c'), 'int answer(void) { return 42; }\n');
  writeFileSync(join(directory, 'map'), 'ONE_1.0 { global: answer; local: *; };\n');
  writeFileSync(
    join(directory, 'main.c'),
    '#include <stdio.h>\nint answer(void);\nint main(void) { return printf("%d", answer()); }\n',
  );
  const gcc = (...args: string[]) => execFileSync('gcc', args, { cwd: directory });
  gcc('-shared', '-fPIC', '-Wl,-soname,libone.so.1', '-Wl,--version-script,map', '-o', 'libone.so.1', 'lib.c');
  gcc('-o', 'main', 'main.c', './libone.so.1', '-Wl,-rpath,/opt/one:/opt/two');
  gcc('-o', 'id-a', 'main.c', './libone.so.1', '-Wl,--build-id=0x1111111111111111111111111111111111111111');
  gcc('-o', 'id-b', 'main.c', './libone.so.1', '-Wl,--build-id=0x2222222222222222222222222222222222222222');
  gcc('-O2', '-o', 'other', 'main.c', './libone.so.1', '-Wl,--build-id=0x1111111111111111111111111111111111111111');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const read = (name: string) => readFileSync(join(directory, name));

test('reads what readelf reads', () => {
  const dynamic = execFileSync('readelf', ['-d', join(directory, 'main')], { encoding: 'utf8' });
  const needed = [...dynamic.matchAll(/\(NEEDED\)\s+Shared library: \[(.*)\]/g)].map((match) => match[1]);
  const elf = readElf(read('main'))!;
  expect(elf.needed).toEqual(needed);
  expect(elf.runPaths).toEqual(['/opt/one', '/opt/two']);
  expect(elf.interpreter).toMatch(/^\/lib/);
  expect(elf.versionNeeds).toContainEqual({ library: 'libone.so.1', version: 'ONE_1.0' });
});

test('reads soname and version definitions of a library', () => {
  const elf = readElf(read('libone.so.1'))!;
  expect(elf.soname).toBe('libone.so.1');
  expect(elf.versionDefinitions).toEqual(['ONE_1.0']);
  expect(elf.type).toBe(3);
});

test('the build-id does not count for the normalised digest, the code does', () => {
  expect(normalizedFileDigest(read('id-a'))).toBe(normalizedFileDigest(read('id-b')));
  expect(normalizedFileDigest(read('id-a'))).not.toBe(normalizedFileDigest(read('other')));
});

test('damaged files give no answer instead of an exception', () => {
  const whole = read('main');
  expect(readElf(Buffer.from('#!/bin/sh\n'))).toBeUndefined();
  for (let seed = 1; seed < 400; seed += 1) {
    const damaged = Uint8Array.from(whole.subarray(0, (seed * 7919) % whole.length));
    for (let i = 0; i < 20; i += 1) damaged[16 + ((seed * 31 + i * 97) % 64)] = (seed * 13 + i) % 256;
    expect(() => readElf(damaged)).not.toThrow();
  }
});
