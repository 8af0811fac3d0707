import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildrootOf, entriesOf } from '../src/build-root-files.ts';

let top: string;

beforeEach(() => {
  top = join(mkdtempSync(join(tmpdir(), 'kiln-left-')), 'top');
  mkdirSync(join(top, 'RPMS'), { recursive: true });
});

afterEach(() => rmSync(join(top, '..'), { recursive: true }));

test('names of files, sorted', async () => {
  for (const name of ['b.rpm', 'a.rpm']) writeFileSync(join(top, 'RPMS', name), '');
  expect(await entriesOf(join(top, 'RPMS'), 'file')).toEqual(['a.rpm', 'b.rpm']);
});

test.each([
  ['a link', (path: string) => symlinkSync('/etc/passwd', path)],
  ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
  ['a directory', (path: string) => mkdirSync(path)],
])('%s is no RPM', async (_name, make) => {
  make(join(top, 'RPMS', 'a.rpm'));
  await expect(entriesOf(join(top, 'RPMS'), 'file')).rejects.toMatchObject({
    code: 'BUILD_OUTPUT_STRANGE',
    message: expect.stringContaining('RPMS/a.rpm is not a file'),
  });
});

test('a link in the place of a directory leads nowhere', async () => {
  symlinkSync('/usr', join(top, 'BUILDROOT'));
  await expect(buildrootOf(top)).rejects.toMatchObject({ code: 'BUILD_OUTPUT_STRANGE' });
  rmSync(join(top, 'BUILDROOT'));
  mkdirSync(join(top, 'BUILDROOT'));
  symlinkSync('/', join(top, 'BUILDROOT', 'x'));
  await expect(buildrootOf(top)).rejects.toMatchObject({ code: 'BUILD_OUTPUT_STRANGE' });
});
