import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import type { RpmPackage } from '@kiln/rpm-repository';
import { buildrootOf, entriesOf, expectPlace, payloadFiles } from '../src/build-root-files.ts';

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

const S_IFREG = 0o100000;

test('a file that is too large to be held in memory is compared all the same', async () => {
  mkdirSync(join(top, 'BUILDROOT'));
  const entries = [
    { path: '/small', mode: S_IFREG, flags: 0, digest: sha256('12345') },
    { path: '/large', mode: S_IFREG, flags: 0, digest: sha256('123456') },
  ];
  const rpm = { name: 'a', files: entries } as unknown as RpmPackage;
  writeFileSync(join(top, 'BUILDROOT/small'), '12345');
  writeFileSync(join(top, 'BUILDROOT/large'), '123456');
  const found = [];
  for await (const one of payloadFiles(rpm, join(top, 'BUILDROOT'), 5)) found.push(one);
  expect(found).toEqual([
    { entry: entries[0], bytes: Buffer.from('12345') },
    { entry: entries[1], digest: sha256('123456') },
  ]);
  writeFileSync(join(top, 'BUILDROOT/large'), '1234567');
  const differing = payloadFiles(rpm, join(top, 'BUILDROOT'), 5);
  await differing.next();
  await expect(differing.next()).rejects.toMatchObject({ code: 'PAYLOAD_DIFFERS' });
});

test.each([
  ['RPMS/noarch/a-1-2.noarch.rpm', { arch: 'noarch', isSource: false }],
  ['SRPMS/a-1-2.src.rpm', { arch: 'src', isSource: true }],
  ['SRPMS/a-1-2.nosrc.rpm', { arch: 'nosrc', isSource: true }],
])('%s is where rpm puts it, any other place is not', (path, kind) => {
  const rpm = { name: 'a', evr: { epoch: 3, version: '1', release: '2' }, ...kind } as RpmPackage;
  expect(() => expectPlace(path, rpm)).not.toThrow();
  for (const other of [path.replace('a-1', 'b-1'), path.replace('RPMS/', 'RPMS/x/'), path.replace('.rpm', '\n.rpm')])
    expect(() => expectPlace(other, rpm)).toThrow('what should be');
});
