import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadBootstrapPlan } from '@kiln/toolchain';
import { bootstrapRootIdentity } from '../src/bootstrap-root.ts';

const repository = join(import.meta.dirname, '../../..');
const STEPS = 'toolkit/stage-a/steps.json';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-bootstrap-'));
  cpSync(join(repository, 'toolkit/toolchain'), join(root, 'toolkit/toolchain'), { recursive: true });
  cpSync(join(repository, 'toolkit/stage-a'), join(root, 'toolkit/stage-a'), { recursive: true });
  for (const name of packagesOfSteps())
    cpSync(join(repository, 'SPECS', name), join(root, 'SPECS', name), { recursive: true });
});

afterEach(() => rmSync(root, { recursive: true }));

interface Table {
  readonly steps: { name: string; description: string; sources: string[]; scripts: string[]; options?: string[] }[];
}

const readTable = (place: string) => JSON.parse(readFileSync(join(place, STEPS), 'utf8')) as Table;
const packagesOfSteps = () => new Set(readTable(repository).steps.flatMap(({ sources }) => sources));
const identities = () => new Map(loadBootstrapPlan(root, STEPS).steps.map(({ name, identity }) => [name, identity]));

/** Names of the steps that became others. */
function changedBy(edit: () => void): string[] {
  const before = identities();
  edit();
  const after = identities();
  return [...after.keys()].filter((name) => before.get(name) !== after.get(name)).sort();
}

function edit(file: string, change: (text: string) => string): void {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

function editStep(name: string, change: (step: Table['steps'][number]) => void): void {
  const table = readTable(root);
  change(table.steps.find((one) => one.name === name)!);
  writeFileSync(join(root, STEPS), JSON.stringify(table));
}

test('the steps of this tree can be planned, and no two are the same', () => {
  const plan = identities();
  expect(new Set(plan.values()).size).toBe(plan.size);
  expect([...plan.keys()]).toEqual(expect.arrayContaining(['gcc-cross', 'glibc', 'gcc', 'rpm', 'perl']));
});

test('a changed script concerns its step and what comes after', () => {
  const script = () => edit('toolkit/stage-a/scripts/openssl.sh', (text) => `${text}\n: more\n`);
  expect(changedBy(script)).toEqual(['openssl', 'rpm']);
});

test('options and sources concern a step; its description and its place in the list do not', () => {
  expect(changedBy(() => editStep('patch', (step) => step.options!.push('--more')))).toEqual(['patch']);
  expect(changedBy(() => editStep('patch', (step) => (step.description = 'Another')))).toEqual([]);
  const other = () => edit('SPECS/popt/popt.signatures.json', (text) => text.replace(/[0-9a-f]{64}/, 'a'.repeat(64)));
  expect(changedBy(other)).toEqual(['popt', 'rpm']);
});

test('another host makes everything another one', () => {
  const host = () =>
    edit('toolkit/toolchain/debian-bookworm.lock.json', (text) =>
      text.replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${'0'.repeat(64)}"`),
    );
  expect(changedBy(host)).toHaveLength(identities().size);
});

test('the root follows from the steps that it keeps', () => {
  const before = bootstrapRootIdentity(loadBootstrapPlan(root, STEPS));
  editStep('sed', (step) => step.options!.push('--more'));
  expect(bootstrapRootIdentity(loadBootstrapPlan(root, STEPS))).not.toBe(before);
});

test('a package with several tarballs, or none, is no source', () => {
  edit('SPECS/sed/sed.signatures.json', () => '{"Signatures": {}}');
  expect(identities).toThrow(expect.objectContaining({ code: 'BOOTSTRAP_SOURCE_UNKNOWN' }));
});

test('a script that is not there is named', () => {
  rmSync(join(root, 'toolkit/stage-a/scripts/perl.sh'));
  expect(identities).toThrow(
    expect.objectContaining({
      code: 'BOOTSTRAP_STEPS_MISSING',
      message: "the step 'perl' runs toolkit/stage-a/scripts/perl.sh, which isn't there",
      location: expect.objectContaining({ file: STEPS, line: expect.any(Number) }),
    }),
  );
});

test('slips in names of scripts and sources get a suggestion, at their step', () => {
  const line = () =>
    1 +
    readFileSync(join(root, STEPS), 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('"name": "patch"'));
  const slip = (change: (step: Table['steps'][number]) => void) => {
    const table = readTable(repository);
    change(table.steps.find(({ name }) => name === 'patch')!);
    writeFileSync(join(root, STEPS), JSON.stringify(table, undefined, 2));
    try {
      return identities();
    } catch (error) {
      return error;
    }
  };
  const location = () => expect.objectContaining({ file: STEPS, line: line() - 1 });
  expect(slip((step) => (step.sources = ['pach']))).toMatchObject({
    code: 'BOOTSTRAP_SOURCE_UNKNOWN',
    message: "the step 'patch' takes the sources of 'pach', which SPECS doesn't have",
    hint: "did you mean 'patch'?",
    location: location(),
  });
  expect(slip((step) => (step.scripts = ['autotool.sh']))).toMatchObject({
    code: 'BOOTSTRAP_STEPS_MISSING',
    hint: "did you mean 'autotools.sh'?",
    location: location(),
  });
});
