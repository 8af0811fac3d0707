import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runMain as run } from './run-main.ts';

const repository = join(import.meta.dirname, '../../..');
let empty: string;
beforeAll(() => {
  empty = mkdtempSync(join(tmpdir(), 'kiln-main-'));
});
afterAll(() => {
  rmSync(empty, { recursive: true, force: true });
});

test('help lists every command and is no error', async () => {
  const { status, out } = await run('--help');
  expect(status).toBe(0);
  for (const name of [
    'build',
    'rpm',
    'image',
    'boot-test',
    'repository',
    'toolchain',
    'affected',
    'list',
    'log',
    'events',
    'provides',
    'explain',
    'spec',
    'record-macros',
    'doctor',
    'gc',
  ]) {
    expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  }
});

test.each([
  [['frobnicate']],
  [['affected']],
  [['log']],
  [['rpm', '-j', 'many']],
  [['events', '--last', '0']],
  [['list', '--frob']],
])('%j is not understood: status 2', async (argv) => {
  const { status, err } = await run(...argv);
  expect(status).toBe(2);
  expect(err).toMatch(/^error: /);
});

test('outside a workspace: one message, status 1', async () => {
  const { status, out, err } = await run('-C', empty, 'list');
  expect({ status, out }).toEqual({ status: 1, out: '' });
  expect(err).toMatch(/^error DISTRO_CONFIG_MISSING: .*\n {2}hint: .*\n$/);
});

test('a slip in a name gets a suggestion', async () => {
  const { status, err } = await run('-C', repository, 'log', 'sed/sde');
  expect(status).toBe(1);
  expect(err).toContain("did you mean 'sed/sed'?");
});

test('list names packages and images', async () => {
  const { status, out } = await run('-C', repository, 'list', '--json');
  expect(status).toBe(0);
  const listed = JSON.parse(out) as { kind: string; id: string; problem: string }[];
  expect(listed).toContainEqual(expect.objectContaining({ kind: 'package', id: 'sed/sed', problem: '' }));
  expect(listed).toContainEqual(expect.objectContaining({ kind: 'image', id: 'base-container', problem: '' }));
});
