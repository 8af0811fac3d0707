import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runMain } from './run-main.ts';

const repository = join(import.meta.dirname, '../../..');
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-image-'));
  mkdirSync(join(directory, 'lists'));
  const config = {
    Disks: [{ Artifacts: [{ Type: 'diff' }] }],
    SystemConfigs: [{ Name: 'One', PackageLists: ['lists/a.json'] }],
  };
  writeFileSync(join(directory, 'foreign.json'), JSON.stringify(config));
  writeFileSync(join(directory, 'lists/a.json'), '{"packages": ["bash", "sed"]}');
  writeFileSync(join(directory, 'wrong.json'), '{"SystemConfigs": [{\n"Name": "One", "Packges": ["bash"]}]}');
});
afterAll(() => rmSync(directory, { recursive: true }));

test('plans a definition of the workspace', async () => {
  const { status, out } = await runMain('-C', repository, 'image-plan', 'imageconfigs/base-container.json', '--json');
  expect(status).toBe(0);
  const plan = JSON.parse(out) as { readonly file: string; readonly refused: readonly unknown[] };
  expect(plan).toMatchObject({ file: 'imageconfigs/base-container.json', refused: [] });
});

test('plans one of somewhere else, and says what is not built', async () => {
  const { status, out } = await runMain('-C', directory, 'image-plan', 'foreign.json');
  expect(status).toBe(0);
  expect(out).toContain('foreign: foreign (diff)\n');
  expect(out).toMatch(/^ {2}2 packages {2}bash sed$/m);
  expect(out).toContain("foreign.json:1:33: artifacts of type 'diff' are not built yet");
});

test('fails where something is wrong', async () => {
  const wrong = await runMain('-C', directory, 'image-plan', 'wrong.json');
  expect(wrong.status).toBe(1);
  expect(wrong.err).toContain(
    "wrong.json:2:16: error IMAGE_CONFIG_INVALID: 'SystemConfigs' has no member 'Packges'; did you mean 'Packages'?",
  );
  const missing = await runMain('-C', directory, 'image-plan', 'no.json');
  expect(missing).toMatchObject({ status: 1 });
  expect(missing.err).toContain("IMAGE_FILE_MISSING: there is no file 'no.json'");
});
