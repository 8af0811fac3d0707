/** Roots of checks: planned apart, after everything, never in the way of a build. */
import { expect, test } from 'vitest';
import { parseDependency } from '@kiln/rpm-package';
import type { EvaluatedPackage, PackageProject } from '../src/package-project.ts';
import { planPackages, type PlanOptions } from '../src/plan.ts';
import { createUniverse } from '../src/universe.ts';
import { asBuilt } from '../src/toolchain-members.ts';
import { idOf, treeOf } from './tree-text.ts';

const toolchain = { origin: 'toolchain', name: 't', evr: treeOf('S: t')[0]!.sourcePackage!.evr, arch: 'x86_64' };

/** The tree with more BuildRequires for the checks of some packages. */
function plan(text: string, wanted: Readonly<Record<string, readonly string[]>>, options: PlanOptions = {}) {
  const packages = treeOf(text);
  const checks = new Map(packages.map((one) => [one.id, withMore(one, wanted[one.sourcePackage!.name] ?? [])]));
  const none = { provides: [], requires: [], conflicts: [], obsoletes: [] };
  const universe = createUniverse(packages, { ...toolchain, ...none, sourceName: 't' });
  const projects = planPackages(packages, universe, { ...options, checks });
  return (name: string): PackageProject => projects.find(({ id }) => id === idOf(name))!;
}

function withMore(one: EvaluatedPackage, more: readonly string[]): EvaluatedPackage {
  const source = one.sourcePackage!;
  const location = { file: one.specFile, line: 9 };
  const added = more.map((text) => ({ ...parseDependency(text), location }));
  return { ...one, sourcePackage: { ...source, hasCheck: true, buildRequires: [...source.buildRequires, ...added] } };
}

test('a check that asks for the same has the same root', () => {
  const at = plan('S: a\nrecorded\nS: b\nB a\nrecorded', {});
  expect(at('b').check).toMatchObject({ dependencies: ['a/a'], rootPackages: at('b').rootPackages });
});

test('what only a check asks for is in its root with what that needs to run, and not in that of the build', () => {
  const at = plan('S: a\nrecorded\nS: b\n- a\nrecorded\nS: c\nrecorded', { c: ['b'] });
  expect(at('c').dependencies).toEqual([]);
  expect(at('c').check!.dependencies).toEqual(['a/a', 'b/b']);
});

test('a check may need what is built with the package, and the package itself: that is no cycle', () => {
  const at = plan('S: a\nrecorded\nS: b\nB a\n- a\nrecorded', { a: ['b'] });
  expect(at('a').diagnostics).toEqual([]);
  expect(at('b').dependencies).toEqual(['a/a']);
  expect(at('a').check!.dependencies).toEqual(['a/a', 'b/b']);
});

test('a package that was never recorded passes the needs of its own build on', () => {
  const at = plan('S: a\nrecorded\nS: b\nB a\nS: c\nrecorded', { c: ['b'] });
  expect(at('c').check!.dependencies).toEqual(['a/a', 'b/b']);
});

test('what nothing provides is an error of the check alone', () => {
  const at = plan('S: a\nrecorded', { a: ['nowhere'] });
  expect(at('a').diagnostics).toEqual([]);
  expect(at('a').check!.diagnostics).toMatchObject([{ severity: 'error', code: 'DEPENDENCY_UNRESOLVED' }]);
});

test('a package that the toolchain has needs nothing to be built; its check and its second build do', () => {
  const text = 'S: a\nB b\nrecorded\nS: b\nB a\nrecorded';
  const cycle = plan(text, {});
  expect(cycle('a').diagnostics).toMatchObject([{ code: 'DEPENDENCY_CYCLE' }]);
  const at = plan(text, {}, { members: new Map([['a/a', { rpms: [] }]]) });
  expect(at('a')).toMatchObject({ diagnostics: [], dependencies: [], member: { rpms: [] } });
  expect(at('b')).toMatchObject({ diagnostics: [], dependencies: ['a/a'] });
  expect(at('a').check!.dependencies).toEqual(['b/b']);
  expect(asBuilt(at('a')).dependencies).toEqual(['b/b']);
  const edited = { severity: 'error', code: 'TOOLCHAIN_MEMBER_CHANGED', message: 'edited' } as const;
  const broken = plan(text, {}, { members: new Map([['a/a', { rpms: [], problem: edited }]]) });
  expect(broken('a').diagnostics).toEqual([edited]);
});

test('the bootstrap policy says nothing of the root of a check', () => {
  const edge = { package: 'a/a', requires: 'b/b', from: 'toolchain' as const, rpms: [] };
  const policy = { packages: new Map(), edges: [{ ...edge, location: { file: 'bootstrap.json', line: 1 } }] };
  const at = plan('S: a\nrecorded\nS: b\nB a\nrecorded', { a: ['b'] }, { policy });
  expect(at('a').check!.dependencies).toEqual(['b/b']);
  expect(at('a').dependencies).toEqual([]);
});
