import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeHost } from '@kiln/host';
import { Store } from '@kiln/store';
import { isViewInPlace, showView, type Manifest } from '../src/view.ts';

let root: string;
let store: Store;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-view-'));
  store = new Store(createFakeHost(), join(root, 'store'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const manifest = async (key: string, files: Record<string, string>): Promise<Manifest> => ({
  target: 'rpm',
  id: 'one/one',
  key,
  files: Object.fromEntries(
    await Promise.all(Object.entries(files).map(async ([path, text]) => [path, await store.putText(text)] as const)),
  ),
});
const show = (shown: Manifest) => showView(root, 'x86_64', shown, store);
const inPlace = (shown: Manifest) => isViewInPlace(root, 'x86_64', shown);
const read = (path: string) => readFileSync(join(root, path), 'utf8');

test('files are shown and the manifest names them', async () => {
  const first = await manifest('k1', { 'dist/a': 'A' });
  expect(await inPlace(first)).toBe(false);
  const file = await show(first);
  expect(read('dist/a')).toBe('A');
  expect(JSON.parse(read(file))).toEqual(first);
  expect(await inPlace(first)).toBe(true);
});

test('a file that somebody changed or removed is noticed and shown again', async () => {
  const first = await manifest('k1', { 'dist/a': 'A', 'dist/b': 'B' });
  await show(first);
  // File times have a grain.
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeFileSync(join(root, 'dist/a'), 'X');
  expect(await inPlace(first)).toBe(false);
  await show(first);
  expect(read('dist/a')).toBe('A');
  rmSync(join(root, 'dist/b'));
  expect(await inPlace(first)).toBe(false);
});

test('files of the task that are no longer made disappear', async () => {
  await show(await manifest('k1', { 'dist/a-1': 'A' }));
  await show(await manifest('k2', { 'dist/a-2': 'A' }));
  expect(existsSync(join(root, 'dist/a-1'))).toBe(false);
  expect(read('dist/a-2')).toBe('A');
});

test('equal files under another key are another view', async () => {
  await show(await manifest('k1', { 'dist/a': 'A' }));
  expect(await inPlace(await manifest('k2', { 'dist/a': 'A' }))).toBe(false);
});

test('a restored manifest without its files is not a view', async () => {
  const first = await manifest('k1', { 'dist/a': 'A' });
  await show(first);
  rmSync(join(root, 'dist/.shown'), { recursive: true });
  expect(await inPlace(first)).toBe(false);
});
