import { describe, expect, test } from 'vitest';
import { parseEvr } from '@kiln/rpm-package';
import { checkPolicyNames, NO_POLICY, parseBootstrapPolicy, type BootstrapPolicy } from '../src/bootstrap-policy.ts';
import type { EvaluatedPackage, PackageProject } from '../src/package-project.ts';
import { planPackages } from '../src/plan.ts';
import { createUniverse, TOOLCHAIN_ORIGIN } from '../src/universe.ts';
import { idOf, treeOf } from './tree-text.ts';

const toolchain = {
  origin: TOOLCHAIN_ORIGIN,
  name: 'kiln-toolchain-test',
  evr: parseEvr('1-1'),
  arch: 'x86_64',
  provides: [{ name: 'gcc' }, { name: 'tool' }],
  requires: [],
};

/** Bootstrap builds lack the given BuildRequires. */
function plan(text: string, policy: BootstrapPolicy = NO_POLICY, without: Record<string, string[]> = {}) {
  const packages = treeOf(text);
  const variants = new Map(
    [...policy.packages.keys()].map((id): [string, EvaluatedPackage] => {
      const one = packages.find((found) => found.id === id)!;
      const source = one.sourcePackage!;
      const dropped = without[source.name] ?? [];
      const buildRequires = source.buildRequires.filter(({ name }) => !dropped.includes(name));
      return [id, { ...one, sourcePackage: { ...source, buildRequires } }];
    }),
  );
  return planPackages(packages, createUniverse(packages, toolchain), { policy, variants });
}

const policyOf = (value: object): BootstrapPolicy => parseBootstrapPolicy(JSON.stringify(value, undefined, 2));
const codes = (projects: readonly PackageProject[]) =>
  Object.fromEntries(projects.map(({ id, diagnostics }) => [id.split('/')[0], diagnostics.map(({ code }) => code)]));
const find = (projects: readonly PackageProject[], name: string) => projects.find(({ id }) => id === idOf(name))!;

/** `b` documents itself with `a`, `a` is built with `b`; `c` uses both. */
const cycle = `
  S: a
  B b-devel
  recorded
  S: b
  B a
  P: b-devel
  recorded
  S: c
  B a
  B b-devel
`;

const broken = policyOf({
  packages: { 'a/a': {}, 'b/b': { without: ['docs'] } },
  edges: [{ package: 'b/b', requires: 'a/a', from: 'bootstrap' }],
});

test('without a policy a cycle is an error that shows the shortest way round', () => {
  const projects = plan(cycle);
  expect(codes(projects)).toEqual({ a: ['DEPENDENCY_CYCLE'], b: ['DEPENDENCY_CYCLE'], c: [] });
  expect(find(projects, 'a').diagnostics[0]!.message).toContain('a/a -> b/b -> a/a');
});

test('the declared edge is broken; what was built with bootstrap RPMs is built again', () => {
  const projects = plan(cycle, broken, { b: ['a'] });
  expect(codes(projects)).toEqual({ a: [], b: [], c: [] });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => find(projects, name));
  expect(b!.bootstrap).toMatchObject({ dependencies: [], bootstrapDependencies: [] });
  expect(a!.bootstrap).toMatchObject({ dependencies: [], bootstrapDependencies: ['b/b'] });
  expect(b).toMatchObject({ dependencies: [], bootstrapDependencies: ['a/a', 'b/b'] });
  expect(b!.rootPackages).toEqual(['a (rpm-bootstrap:a/a)']);
  expect(a).toMatchObject({ dependencies: ['b/b'], bootstrapDependencies: [] });
  expect(c).toMatchObject({ dependencies: ['a/a', 'b/b'], bootstrapDependencies: [] });
  expect(c!.bootstrap).toBeUndefined();
});

test('what is not recorded hands on final RPMs, never those of a bootstrap', () => {
  const projects = plan(cycle.replaceAll('recorded', ''), broken, { b: ['a'] });
  expect(find(projects, 'a')).toMatchObject({ dependencies: ['b/b'], bootstrapDependencies: ['a/a'] });
  expect(find(projects, 'c')).toMatchObject({ dependencies: ['a/a', 'b/b'], bootstrapDependencies: [] });
});

test('a package that needs itself installed takes its bootstrap', () => {
  const self = cycle.replace('P: b-devel', 'P: b-devel\n- a');
  expect(codes(plan(self)).a).toEqual(['DEPENDENCY_CYCLE']);
  const projects = plan(self, broken, { b: ['a'] });
  expect(codes(projects)).toEqual({ a: [], b: [], c: [] });
  expect(find(projects, 'a')).toMatchObject({ dependencies: ['b/b'], bootstrapDependencies: ['a/a'] });
});

const seed = {
  fileName: 'a-0-1.x86_64.rpm',
  sha256: '0'.repeat(64),
  url: 'https://seeds.example/a-0-1.x86_64.rpm',
  name: 'a',
  evr: '0-1',
  arch: 'x86_64',
  provides: ['a = 0-1'],
  requires: [],
};

test('an edge from a seed takes the pinned RPM', () => {
  const policy = policyOf({ edges: [{ package: 'b/b', requires: 'a/a', from: 'seed', rpms: [seed] }] });
  const projects = plan(cycle, policy);
  expect(codes(projects)).toEqual({ a: [], b: [], c: [] });
  expect(find(projects, 'b')).toMatchObject({ dependencies: [], seeds: [{ fileName: 'a-0-1.x86_64.rpm' }] });
  expect(find(projects, 'b').rootPackages).toEqual([`a (seed:${'0'.repeat(64)})`]);
  expect(find(projects, 'a')).toMatchObject({ dependencies: ['b/b'], seeds: [] });
});

test('an edge from the toolchain needs the toolchain to provide what is asked for', () => {
  const policy = policyOf({ edges: [{ package: 'b/b', requires: 'a/a', from: 'toolchain' }] });
  expect(codes(plan(cycle, policy)).b).toEqual(['DEPENDENCY_UNRESOLVED']);
  expect(codes(plan(cycle.replace('S: b\n  B a', 'S: b\n  B (a or tool)'), policy))).toEqual({ a: [], b: [], c: [] });
});

describe('entries of the policy', () => {
  test('that break no cycle are errors of their package, at their line', () => {
    const edge = { package: 'c/c', requires: 'a/a', from: 'toolchain' };
    const policy = policyOf({ edges: [edge] });
    const projects = plan('S: a\nS: c\nB gcc', policy);
    expect(find(projects, 'c').diagnostics).toMatchObject([
      { code: 'BOOTSTRAP_POLICY_UNUSED', location: { file: 'toolkit/bootstrap.json', line: 4 } },
    ]);
    expect(codes(plan('S: a\nS: c\nB a', policyOf({ packages: { 'a/a': {} } })))).toEqual({
      a: ['BOOTSTRAP_POLICY_UNUSED'],
      c: [],
    });
  });

  test.each([
    [{ edges: [{ package: 'x/x', requires: 'a/a', from: 'toolchain' }] }, "no package 'x/x'"],
    [{ packages: { 'b/c': {} } }, "no package 'b/c'; did you mean 'b/b'?"],
    [{ edges: [{ package: 'a/a', requires: 'b/b', from: 'bootstrap' }] }, "'b/b' has no entry below 'packages'"],
  ])('that name what is not there are refused: %j', (value, message) => {
    const ids = new Set(['a/a', 'b/b']);
    expect(() => checkPolicyNames(policyOf(value), ids)).toThrowError(
      expect.objectContaining({
        code: 'BOOTSTRAP_POLICY_INVALID',
        message: expect.stringContaining(message) as string,
      }),
    );
  });

  test.each([
    ['{', 'JSON'],
    ['{ "edge": [] }', "'edge'"],
    ['{ "edges": [{ "package": "a", "requires": "b", "from": "host" }] }', '/edges/0/from'],
    ['{ "edges": [{ "package": "a", "requires": "b", "from": "seed" }] }', "'rpms'"],
    ['{ "edges": [{ "package": "a", "requires": "b", "from": "toolchain", "rpms": [] }] }', '/edges/0/rpms'],
  ])('that are malformed are refused: %s', (text, message) => {
    expect(() => parseBootstrapPolicy(text)).toThrowError(
      expect.objectContaining({
        code: 'BOOTSTRAP_POLICY_INVALID',
        message: expect.stringContaining(message) as string,
      }),
    );
  });
});
