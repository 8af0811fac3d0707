import { expect, test } from 'vitest';
import { parseDependency, parseEvr } from '@kiln/rpm-package';
import { planImage, planPackages } from '../src/plan.ts';
import { createUniverse, TOOLCHAIN_ORIGIN } from '../src/universe.ts';
import { treeOf } from './tree-text.ts';

const toolchain = {
  origin: TOOLCHAIN_ORIGIN,
  name: 'kiln-toolchain-test',
  evr: parseEvr('1-1'),
  arch: 'x86_64',
  provides: [{ name: 'gcc' }],
  requires: [],
};

function plan(text: string, declared: [string, string][] = []) {
  const packages = treeOf(text);
  const universe = createUniverse(packages, toolchain);
  return { universe, projects: planPackages(packages, universe, { declared: new Map(declared) }) };
}

const problems = (text: string, declared?: [string, string][]) =>
  plan(text, declared).projects.flatMap(({ sourcePackage, diagnostics }) =>
    diagnostics.map(({ code, location, hint }) => [sourcePackage!.name, code, location?.line, hint]),
  );

const excluding = `
  S: old
  S: new
  ! old
  S: user
  B gcc
  B old
  B new
  S: other
  B new
`;

test('packages that exclude each other are an error of the package that needs both', () => {
  expect(problems(excluding)).toEqual([
    ['user', 'DEPENDENCY_CONFLICT', 3, "require only one of them, or correct 'old' in new"],
  ]);
});

const ambiguous = `
  S: gawk
  + awk
  S: mawk
  + awk
  S: user
  B awk
`;

test('a choice that no rule decides is a warning with the way to decide it', () => {
  expect(problems(ambiguous)).toEqual([
    ['user', 'DEPENDENCY_AMBIGUOUS', 2, 'say which one: "choices": { "awk": "gawk" } in toolkit/distro.json'],
  ]);
  const { projects } = plan(ambiguous, [['awk', 'mawk']]);
  expect(projects.flatMap(({ diagnostics }) => diagnostics)).toEqual([]);
  expect(projects[2]).toMatchObject({ dependencies: ['mawk/mawk'], choices: [{ chosen: 'mawk', reason: 'declared' }] });
});

test('BuildConflicts of what the root needs is an error', () => {
  const packages = treeOf('S: a\nS: b\nB a');
  const b = packages[1]!;
  const buildConflicts = [parseDependency('a < 2')];
  const projects = planPackages(
    [packages[0]!, { ...b, sourcePackage: { ...b.sourcePackage!, buildConflicts } }],
    createUniverse(packages, toolchain),
  );
  expect(projects[1]!.diagnostics).toMatchObject([
    { code: 'DEPENDENCY_CONFLICT', message: "BuildConflicts 'a < 2': a is in the build root" },
  ]);
});

test('what nobody states is predicted until it is recorded, and the plan says that it rests on it', () => {
  const guessed = `
    S: zlib
    P: zlib-devel
    /usr/lib/pkgconfig/zlib.pc
    S: user
    B pkgconfig(zlib) >= 1.2
  `;
  const { projects } = plan(guessed);
  expect(projects[1]).toMatchObject({ dependencies: ['zlib/zlib'], diagnostics: [] });
  const prediction = { capability: 'pkgconfig(zlib)', package: 'zlib-devel', rule: 'path' };
  expect(projects[1]!.predictions).toMatchObject([prediction]);
  expect(projects[0]!.predicted).toMatchObject([prediction]);
  expect(problems(guessed.replace('zlib.pc', 'zlib.pc\n recorded'))).toMatchObject([
    ['user', 'DEPENDENCY_UNRESOLVED', 2, expect.anything()],
  ]);
});

test('records have no paths: those of %files lines are predicted for recorded packages too', () => {
  const { projects } = plan('S: make\n/usr/bin/make\nrecorded\nS: user\nB /usr/bin/make');
  expect(projects[1]).toMatchObject({ dependencies: ['make/make'], predictions: [{ rule: 'path' }] });
});

test('generated BuildRequires that were recorded are needed as stated ones', () => {
  const [a, b] = treeOf('S: a\nS: b');
  const packages = [a!, { ...b!, record: { buildRequires: [parseDependency('a')] } }];
  const projects = planPackages(packages, createUniverse(packages, toolchain));
  expect(projects[1]!.dependencies).toEqual(['a/a']);
});

test('packages of an image that exclude each other are named', () => {
  const { universe, projects } = plan(excluding);
  const { conflicts, rootPackages } = planImage([{ name: 'old' }, { name: 'new' }], universe, projects);
  expect(conflicts).toMatchObject([{ package: 'new', with: ['old'], kind: 'conflicts' }]);
  expect(rootPackages).toEqual(['new (new/new)', 'old (old/old)']);
});

test('what a build recorded as required and nobody is known to provide is open while packages are not recorded', () => {
  const [lib, tool, user, never] = treeOf('S: lib\nS: tool\nB lib\nS: user\nB tool\nS: never');
  const requires = [parseDependency('lib.so.1')];
  const recorded = { ...tool!, record: { packages: new Map([['tool', { provides: [], requires }]]) } };
  const planOf = (packages: NonNullable<typeof lib>[]) => planPackages(packages, createUniverse(packages, toolchain));
  const open = planOf([lib!, recorded, user!, never!]);
  expect(open.flatMap(({ diagnostics }) => diagnostics)).toEqual([]);
  expect(open[2]!.dependencies).toEqual(['lib/lib', 'tool/tool']);
  const known = [lib!, user!].map((one) => ({ ...one, record: { packages: new Map() } }));
  expect(planOf([known[0]!, recorded, known[1]!])[2]!.diagnostics).toMatchObject([
    { code: 'DEPENDENCY_UNRESOLVED', message: "nothing provides 'lib.so.1', which tool in the build root requires" },
  ]);
});
