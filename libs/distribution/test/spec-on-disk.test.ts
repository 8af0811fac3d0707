import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SpecOnDisk } from '../src/spec-on-disk.ts';

let root: string;
/** Looked at `seconds` from now: tests don't wait. */
const spec = (seconds: number) => new SpecOnDisk(root, 'a.spec', Date.now() + seconds * 1000);
const write = (text: string) => writeFileSync(join(root, 'a.spec'), text);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-spec-'));
});
afterAll(() => rmSync(root, { recursive: true }));

it('has no stamp while the next change could have the same', () => {
  write('Name: a\n');
  expect(spec(0).stamp).toBe('');
  expect(spec(1).stamp).toBe('');
  expect(spec(10).stamp).not.toBe('');
});

it('is compared by its text without a stamp', () => {
  write('Name: a\n');
  const known = { specStamp: '', specDigest: sha256('Name: a\n') };
  expect(spec(0).is(known)).toBe(true);
  expect(spec(10).is(known)).toBe(true);
  expect(spec(0).is({ ...known, specDigest: sha256('Name: b\n') })).toBe(false);
});

it('is not read when the stamp is known', () => {
  write('Name: a\n');
  const known = { specStamp: spec(10).stamp, specDigest: sha256('not what it says') };
  expect(spec(10).is(known)).toBe(true);
});

it.each([
  ['written', () => write('Name: b\n')],
  ['written with the times of before', () => (write('Name: c\n'), utimesSync(join(root, 'a.spec'), 1, 1))],
  [
    'replaced by a file of the same size',
    () => {
      writeFileSync(join(root, 'new'), 'Name: d\n');
      renameSync(join(root, 'new'), join(root, 'a.spec'));
    },
  ],
])('has another stamp when it is %s', (_, change) => {
  write('Name: a\n');
  utimesSync(join(root, 'a.spec'), 1, 1);
  const { stamp } = spec(10);
  change();
  expect(spec(10).stamp).not.toBe(stamp);
});

it('says so when it is changed between the look at it and the reading', () => {
  write('Name: a\n');
  const looked = spec(10);
  expect(looked.is({ specStamp: looked.stamp, specDigest: sha256('Name: a\n') })).toBe(true);
  write('Name: b\n');
  expect(() => looked.text).toThrow(expect.objectContaining({ code: 'SPEC_CHANGED' }));
});

it('says so when it is removed before the reading', () => {
  write('Name: a\n');
  const looked = spec(10);
  rmSync(join(root, 'a.spec'));
  expect(() => looked.text).toThrow(expect.objectContaining({ code: 'SPEC_CHANGED' }));
});
