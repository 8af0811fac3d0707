import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readDistribution } from '../src/loaded-distribution.ts';

const repository = join(import.meta.dirname, '../../..');
const spec = (name: string, more = '') =>
  `Name: ${name}\nVersion: 1.0\nRelease: 1\nSummary: x\nLicense: MIT\n${more}\n%description\nx\n%files\n`;

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-loaded-'));
  for (const part of ['distro.json', 'macros', 'toolchain', 'sources'])
    cpSync(join(repository, 'toolkit', part), join(root, 'toolkit', part), { recursive: true });
  write('SPECS/one/one.spec', spec('one', '%include common/tags.inc\nPatch0: one.patch'));
  write('SPECS/two/two.spec', spec('two'));
  write('common/tags.inc', 'URL: https://one.example\n');
  write('imageconfigs/.gitkeep', '');
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

// What a test before has changed shall be older than what this one reads.
beforeEach(() => delay(60));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

const FILES = ['toolkit/distro.json', 'SPECS/one/one.spec', 'SPECS/two/two.spec'];
const read = () => readDistribution(root, FILES);

test('a tree that has not changed is read once, also by callers at the same time', async () => {
  const all = await Promise.all([read(), read(), read()]);
  expect(new Set(all).size).toBe(1);
  write('elsewhere/notes.txt', 'nothing that is read');
  expect(await read()).toBe(all[0]);
});

test.each<[string, () => void]>([
  ['a spec', () => write('SPECS/two/two.spec', spec('two', 'URL: https://two.example'))],
  ['a spec that keeps its size and its time', keepingTime],
  ['a file that a spec includes', () => write('common/tags.inc', 'URL: https://one.example/new\n')],
  ['the macros', () => write('toolkit/macros/macros', '%changed 1\n')],
  ['a source that appears beside its spec', () => write('SPECS/one/one.patch', 'x\n')],
  ['a source that goes', () => rmSync(join(root, 'SPECS/one/one.patch'))],
  ['a record that appears', () => write('toolkit/provides/two/two.json', '{"packages":{}}\n')],
  ['settings that appear', () => write('toolkit/packages.json', '{}\n')],
  ['an image that appears', () => write('imageconfigs/x.json', '{}\n')],
  ['a spec that is replaced by another file', replaced],
])('it is read again after a change of %s', async (_what, change) => {
  const before = await read();
  change();
  const after = await read();
  expect(after).not.toBe(before);
});

function keepingTime(): void {
  write('SPECS/two/two.spec', spec('two', 'URL: https://two.exampl3'));
  utimesSync(join(root, 'SPECS/two/two.spec'), new Date(0), new Date(0));
}

function replaced(): void {
  write('elsewhere/new.spec', spec('two'));
  renameSync(join(root, 'elsewhere/new.spec'), join(root, 'SPECS/two/two.spec'));
}

test('it is read again when Nx matches other files', async () => {
  const before = await read();
  expect(await readDistribution(root, FILES.slice(0, 2))).not.toBe(before);
});

test('a tree that cannot be read is tried again', async () => {
  write('toolkit/packages.json', '{ "nobody/nobody": {} }\n');
  await expect(read()).rejects.toMatchObject({ code: 'PACKAGE_SETTINGS_INVALID' });
  await delay(60);
  rmSync(join(root, 'toolkit/packages.json'));
  expect((await read()).packages).toHaveLength(2);
});
