import { expect, test } from 'vitest';
import { parseDependency, parseEvr } from '@kiln/rpm-package';
import { capabilityChanges, kindOf, type BuiltCapabilities } from '../src/capability-changes.ts';
import { treeOf } from './tree-text.ts';

const rpm = (name: string, provides: readonly string[], files: readonly string[] = []): BuiltCapabilities[number] => ({
  name,
  evr: parseEvr('1-1'),
  arch: 'x86_64',
  provides: provides.map(parseDependency),
  files,
});

function changes(before: BuiltCapabilities, after: BuiltCapabilities, text: string) {
  const packages = treeOf(text);
  const others = packages.flatMap(({ id, sourcePackage }) =>
    id === 'lib/lib' ? [] : sourcePackage!.packages.map((one) => ({ ...one, origin: id })),
  );
  return capabilityChanges({ before, after }, { id: 'lib/lib', packages, others: () => others });
}

test.each([
  ['libz.so.1()(64bit)', 'soname'],
  ['libz.so.1', 'provide'],
  ['libz.so.1()', 'soname'],
  ['libz.so.1(ZLIB_1.2)(64bit)', 'symbol version'],
  ['libpython3.12.so.1.0()(64bit)', 'soname'],
  ['pkgconfig(zlib)', 'provide'],
  ['zlib(x86-64)', 'provide'],
  ['/usr/bin/sed', 'path'],
])('%s is a %s', (capability, kind) => expect(kindOf(capability)).toBe(kind));

test('a soname that gives way to another one: who asks for the old one is named', () => {
  const found = changes(
    [rpm('lib', ['lib = 1-1', 'liba.so.1()(64bit)', 'liba.so.1(A_1)(64bit)'])],
    [rpm('lib', ['lib = 2-1', 'liba.so.2()(64bit)'])],
    `S: user
     - liba.so.1(A_1)(64bit)
     - lib >= 1
     S: other
     B liba.so.2()(64bit)
     S: builder
     B liba.so.1()(64bit)`,
  );
  expect(found.appeared).toEqual([{ package: 'lib', kind: 'soname', capability: 'liba.so.2()(64bit)' }]);
  expect(found.vanished.map(({ kind, capability }) => [kind, capability])).toEqual([
    ['soname', 'liba.so.1()(64bit)'],
    ['symbol version', 'liba.so.1(A_1)(64bit)'],
  ]);
  expect(found.unmet).toEqual([
    { id: 'user/user', package: 'user', requirement: 'liba.so.1(A_1)(64bit)' },
    { id: 'builder/builder', requirement: 'liba.so.1()(64bit)' },
  ]);
});

test('a name that moves to another sub-package, or is provided by another package too, is missed by nobody', () => {
  const before = [rpm('lib', ['tool'], ['/usr/bin/tool', '/usr/bin/shared'])];
  const after = [rpm('lib', []), rpm('lib-tools', ['tool'], ['/usr/bin/tool'])];
  const found = changes(before, after, 'S: user\n- /usr/bin/tool\n- /usr/bin/shared\nS: other\n+ /usr/bin/shared');
  expect(found.vanished.map(({ capability }) => capability)).toEqual(['/usr/bin/shared']);
  expect(found.unmet).toEqual([]);
});

test('the same names in another version: unmet is what asks for exactly the old one', () => {
  const [before, after] = [[rpm('lib', ['lib = 1-1'])], [rpm('lib', ['lib = 1-2'])]];
  const found = changes(
    before,
    after,
    'S: lib\nP: lib-devel\n- lib = 1-1\nS: pinned\n- lib = 1-1\nS: free\n- lib >= 1',
  );
  expect(found).toEqual({
    appeared: [],
    vanished: [],
    unmet: [{ id: 'pinned/pinned', package: 'pinned', requirement: 'lib = 1-1' }],
  });
});

test('of a requirement that one of several can meet, no member is missed while another is there', () => {
  const found = changes([rpm('lib', ['a', 'b'])], [rpm('lib', ['b'])], 'S: user\n- (a or b)\nS: both\n- (a and b)');
  expect(found.unmet.map(({ id }) => id)).toEqual(['both/both']);
});
