import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freshHash, rememberedHash } from '../src/task-record.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-record-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test('a key that never missed is its own hash', () => {
  expect(rememberedHash(root, 'rpm:sed/sed', 'k1')).toBe('k1');
});

test('after a miss the hash stays the same as long as the key does', () => {
  const hash = freshHash(root, 'rpm:sed/sed', 'k1');
  expect(hash).toMatch(/^k1\.[0-9a-f]{16}$/);
  expect(rememberedHash(root, 'rpm:sed/sed', 'k1')).toBe(hash);
  expect(rememberedHash(root, 'rpm:sed/sed', 'k2')).toBe('k2');
  expect(rememberedHash(root, 'rpm:grep/grep', 'k1')).toBe('k1');
});

test('each miss has another hash', () => {
  expect(freshHash(root, 'rpm:sed/sed', 'k1')).not.toBe(freshHash(root, 'rpm:sed/sed', 'k1'));
});
