import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import type { PackageResult } from '@kiln/package-build';
import { parseDependency, parseEvr } from '@kiln/rpm-package';
import { evaluateSpec } from '@kiln/rpm-spec';
import { readProvidesRecord, recordOf, sameRecord, writeProvidesRecord } from '../src/provides-record.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-record-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const source = evaluateSpec({
  file: 'one.spec',
  text: 'Name: one\nVersion: 1\nRelease: 1\nSummary: S\nLicense: MIT\nRequires: two\n%description\nD.\n%files\n',
}).sourcePackage!;

const result: PackageResult = {
  source: 'one',
  rpms: [
    {
      fileName: 'one-1-1.x86_64.rpm',
      kind: 'binary',
      name: 'one',
      evr: parseEvr('1-1'),
      arch: 'x86_64',
      artifact: sha256('a'),
      content: sha256('c'),
      provides: ['one = 1-1', 'one(x86-64) = 1-1', 'libone.so.1()(64bit)'].map(parseDependency),
      requires: ['two', 'libc.so.6()(64bit)', 'rpmlib(PayloadIsZstd) <= 5.4.18-1'].map(parseDependency),
      paths: [],
      buildTime: 0,
    },
  ],
};

test('only what the spec does not say is recorded, and comes back', async () => {
  const record = recordOf(source, result);
  await writeProvidesRecord(root, 'provides/one.json', record);
  expect(JSON.parse(readFileSync(join(root, 'provides/one.json'), 'utf8'))).toEqual({
    packages: { one: { provides: ['libone.so.1()(64bit)'], requires: ['libc.so.6()(64bit)'] } },
  });
  expect(sameRecord(readProvidesRecord(root, 'provides/one.json')!, record)).toBe(true);
});

test('a missing record is none, a broken one is an error', () => {
  expect(readProvidesRecord(root, 'no.json')).toBeUndefined();
  writeFileSync(join(root, 'bad.json'), '{ "packages": 1 }');
  expect(() => readProvidesRecord(root, 'bad.json')).toThrowError(
    expect.objectContaining({ code: 'PROVIDES_RECORD_INVALID' }),
  );
});

test('another requirement is another record', () => {
  const record = recordOf(source, result);
  const other = new Map([['one', { ...record.get('one')!, requires: [] }]]);
  expect(sameRecord(record, other)).toBe(false);
});
