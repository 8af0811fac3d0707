import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDependency, parseEvr } from '@kiln/rpm-package';
import { parseToolchainManifest, readBootstrapSteps } from '@kiln/toolchain';
import { readDistroConfig } from '@kiln/distribution';
import {
  compareRounds,
  makeRoundWorkspace,
  memberPackages,
  ROUND_MANIFEST,
  roundRequest,
  roundWorkspace,
} from '../src/bootstrap-rounds.ts';
import { TOOLCHAIN_ORIGIN } from '../src/universe.ts';
import { treeOf } from './tree-text.ts';

const repository = join(import.meta.dirname, '../../..');
const STEPS = 'toolkit/stage-a/steps.json';
const plan = { table: { ...readBootstrapSteps(repository, STEPS), members: ['shell', 'cc'] } };

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-rounds-'));
  cpSync(join(repository, 'toolkit'), join(root, 'toolkit'), { recursive: true });
  // Neither SPECS-EXTENDED nor images: a tree may lack them.
  write('SPECS/one/one.spec', 'Name: one\n');
});

afterAll(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

test('the first round builds on stage A, without debug information', async () => {
  const place = await makeRoundWorkspace(root, 'seeded');
  const config = readDistroConfig(place);
  expect(config.toolchain).toEqual({ provider: 'bootstrap', steps: STEPS, lock: 'toolkit/stage-a/lock.json' });
  expect(config.defines['debug_package']).toBe('%{nil}');
  expect(config.checks).toMatchObject({ compilerFlags: expect.any(Array), severities: { DEBUGINFO_MISSING: 'off' } });
  expect(readFileSync(join(place, 'SPECS/one/one.spec'), 'utf8')).toBe('Name: one\n');
});

test('a round is made of the tree as it is now', async () => {
  await makeRoundWorkspace(root, 'seeded');
  rmSync(join(root, 'SPECS/one'), { recursive: true });
  write('SPECS/two/two.spec', 'Name: two\n');
  const place = await makeRoundWorkspace(root, 'seeded');
  expect(() => readFileSync(join(place, 'SPECS/one/one.spec'))).toThrow(/ENOENT/);
  expect(readFileSync(join(place, 'SPECS/two/two.spec'), 'utf8')).toBe('Name: two\n');
});

test('a round needs the result of the one before', () =>
  expect(makeRoundWorkspace(root, 'proof')).rejects.toMatchObject({
    code: 'BOOTSTRAP_ROUND_MISSING',
    message: "the round 'self' has no toolchain yet",
  }));

test('later rounds take RPMs as tools, and build the packages of these from their specs', async () => {
  const rpm = {
    nevra: 'one-1-1.x86_64',
    size: 1,
    sha256: 'a'.repeat(64),
    repository: 'own',
    path: 'one-1-1.x86_64.rpm',
  };
  const source = { ...rpm, source: 'one-1-1.src.rpm' };
  const request = JSON.parse(roundRequest('x86_64', plan)) as object;
  const result = {
    ...{ ...request, packages: [source], provides: { [rpm.nevra]: ['one = 1-1'] } },
    specs: { 'one/one': { source: source.source, inputs: 'b'.repeat(64) } },
  };
  const before = roundWorkspace(root, 'seeded');
  mkdirSync(dirname(join(before, ROUND_MANIFEST)), { recursive: true });
  writeFileSync(join(before, ROUND_MANIFEST), JSON.stringify(result));
  const place = await makeRoundWorkspace(root, 'self');
  const config = readDistroConfig(place);
  expect(config.toolchain).toEqual({ provider: 'repository', manifest: 'toolkit/manifests/toolchain.json' });
  const file = 'toolkit/manifests/toolchain.json';
  const manifest = parseToolchainManifest(readFileSync(join(place, file), 'utf8'), file);
  expect(manifest.packages).toMatchObject([{ nevra: rpm.nevra }]);
  expect(manifest.specs).toEqual({});
  expect(manifest.repositories).toMatchObject([{ name: 'own', url: pathToFileURL(join(before, 'dist/rpms')).href }]);
});

const provides = ['gcc', 'libc.so.6'].map(parseDependency);
const provider = {
  origin: TOOLCHAIN_ORIGIN,
  name: 'stage',
  evr: parseEvr('1-1'),
  arch: 'x86_64',
  provides,
  requires: [],
};
const membersOf = (tree: string) => memberPackages({ packages: treeOf(tree), toolchain: { provider } } as never, plan);

test('the toolchain is what its members need to run, all of it from the tree', () => {
  const tree = `
    S: shell
    - libc.so.6
    - /usr/bin/file
    B flex
    S: libc
    + libc.so.6
    S: cc
    - as
    S: as
    S: flex
    S: image-viewer`;
  expect(membersOf(tree)).toEqual(['as/as', 'cc/cc', 'libc/libc', 'shell/shell']);
});

test('what the tree does not have is named with who needs it', () => {
  const attempt = () => membersOf('S: shell\n- libc.so.6\nS: cc');
  expect(attempt).toThrow(expect.objectContaining({ code: 'TOOLCHAIN_UNRESOLVED' }));
  try {
    attempt();
  } catch (error) {
    const { diagnostics } = error as { diagnostics: { message: string }[] };
    expect(diagnostics.map(({ message }) => message)).toEqual(['nothing provides libc.so.6, which shell requires']);
  }
});

test('two rounds are compared by all RPMs of their sources', () => {
  const rpm = (nevra: string, sha256: string) => ({ nevra, sha256 }) as never;
  const self = { packages: [rpm('a-1', '1'), rpm('b-1', '2'), rpm('gone-1', '3')], others: [rpm('b-lang-1', '4')] };
  const proof = { packages: [rpm('a-1', '1'), rpm('b-1', '2'), rpm('new-1', '3')], others: [rpm('b-lang-1', '5')] };
  expect(compareRounds(self, proof)).toEqual({
    equal: 2,
    differing: [
      { nevra: 'b-lang-1', what: 'has other contents' },
      { nevra: 'gone-1', what: "was not built by the round 'proof'" },
      { nevra: 'new-1', what: "was not built by the round 'self'" },
    ],
  });
});
