import { expect, test } from 'vitest';
import { parseDependency } from '@kiln/rpm-package';
import { examineRepository, type Provider } from '@kiln/package-graph';

const one = (name: string, requires: string[] = [], more: Partial<Provider> = {}): Provider => ({
  name,
  evr: { version: '1', release: '1' },
  arch: 'noarch',
  origin: name,
  provides: [],
  requires: requires.map((text) => parseDependency(text)),
  ...more,
});

test('a closed repository has nothing to tell', () => {
  const packages = [one('a', ['b', '/usr/bin/x', 'rpmlib(Any) <= 1']), one('b', [], { files: ['/usr/bin/x'] })];
  expect(examineRepository(packages)).toEqual({ unprovided: [], uninstallable: [] });
});

test('what nothing provides is told once, with all that require it', () => {
  const packages = [one('a', ['b', 'gone']), one('b', ['gone', 'a > 2']), one('c', ['b'])];
  expect(examineRepository(packages).unprovided).toEqual([
    { dependency: 'a > 2', requiredBy: ['b'] },
    { dependency: 'gone', requiredBy: ['a', 'b'] },
  ]);
});

test('packages whose requirements exclude one another are told', () => {
  const conflicts = [parseDependency('c')];
  const packages = [one('a', ['b', 'c']), one('b', [], { conflicts }), one('c')];
  expect(examineRepository(packages).uninstallable.map((found) => found.package)).toEqual(['a']);
});
