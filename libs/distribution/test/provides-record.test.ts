import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import type { PackageResult } from '@kiln/package-build';
import { parseDependency, parseEvr } from '@kiln/rpm-package';
import { evaluateSpec } from '@kiln/rpm-spec';
import { readProvidesRecord, recordChanges, recordOf, writeProvidesRecord } from '../src/provides-record.ts';

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
  const record = { packages: recordOf(source, result) };
  await writeProvidesRecord(root, 'provides/one.json', record);
  expect(JSON.parse(readFileSync(join(root, 'provides/one.json'), 'utf8'))).toEqual({
    packages: { one: { provides: ['libone.so.1()(64bit)'], requires: ['libc.so.6()(64bit)'] } },
  });
  expect(recordChanges(readProvidesRecord(root, 'provides/one.json'), record)).toEqual([]);
});

test('a missing record is none, a broken one is an error', () => {
  expect(readProvidesRecord(root, 'no.json')).toBeUndefined();
  writeFileSync(join(root, 'bad.json'), '{ "packages": 1 }');
  expect(() => readProvidesRecord(root, 'bad.json')).toThrowError(
    expect.objectContaining({ code: 'PROVIDES_RECORD_INVALID' }),
  );
});

test('another requirement is another record', () => {
  const record = { packages: recordOf(source, result) };
  const other = { packages: new Map([['one', { ...record.packages.get('one')!, requires: [] }]]) };
  expect(recordChanges(record, other)).toEqual(['- one requires libc.so.6()(64bit)']);
  expect(recordChanges(other, { ...record, buildRequires: [parseDependency('x >= 1')] })).toEqual([
    '+ BuildRequires x >= 1',
    '+ one requires libc.so.6()(64bit)',
  ]);
});

test('generated BuildRequires are kept without a build of packages', async () => {
  await writeProvidesRecord(root, 'provides/one.json', { buildRequires: [parseDependency('two-devel')] });
  expect(readProvidesRecord(root, 'provides/one.json')).toEqual({ buildRequires: [parseDependency('two-devel')] });
});
