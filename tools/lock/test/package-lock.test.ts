/** `package-lock.json` works with every registry and on every platform. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { missingPlatforms, type PackageLock } from '../complete-lock.mjs';

const text = readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8');
const lock = JSON.parse(text) as PackageLock;

test('names no registry', () => {
  const addresses = Object.values(lock.packages).filter(
    ({ resolved, link }) => resolved !== undefined && link !== true,
  );
  expect(addresses).toEqual([]);
});

test('has the optional packages of all platforms (else: npm run lock)', () => {
  expect(missingPlatforms(lock)).toEqual({});
});
