import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import { copySource } from '../src/copy-source.ts';

let directory: string;
let path: string;
let copy: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-copy-source-'));
  [path, copy] = [join(directory, 'a.patch'), join(directory, 'copy')];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a source file is copied, readable for all', async () => {
  writeFileSync(path, 'one', { mode: 0o600 });
  await copySource({ name: 'a.patch', path, sha256: sha256('one') }, copy);
  expect(readFileSync(copy, 'utf8')).toBe('one');
  expect(statSync(copy).mode & 0o777).toBe(0o644);
});

test('one that was edited since the build was planned does not get in', async () => {
  writeFileSync(path, 'two');
  await expect(copySource({ name: 'a.patch', path, sha256: sha256('one') }, copy)).rejects.toMatchObject({
    code: 'SOURCE_CHANGED',
    message: 'the source file a.patch was changed after the build had been planned',
  });
  expect(existsSync(copy)).toBe(false);
});

test('one that is gone is no defect', async () => {
  await expect(copySource({ name: 'a.patch', path, sha256: sha256('one') }, copy)).rejects.toMatchObject({
    code: 'SOURCE_CHANGED',
    message: expect.stringContaining('removed'),
  });
});
