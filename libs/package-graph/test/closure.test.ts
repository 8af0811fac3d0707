import { expect, test } from 'vitest';
import { ProviderIndex, resolveClosure } from '@kiln/package-graph';
import { parseDependency } from '@kiln/rpm-package';
import { repository } from './repository-text.ts';

const tree = `
  P: kiln-toolchain 1-1 toolchain
  + libc.so.6()(64bit)
  + gcc = 12.2
  - nothing-at-all
  P: glibc 2.41-1 glibc
  + libc.so.6()(64bit)
  P: ncurses-libs 6.5-1 ncurses
  + libtinfo.so.6()(64bit)
  - libc.so.6()(64bit)
  P: ncurses-devel 6.5-1 ncurses
  - ncurses-libs = 6.5-1
  P: readline 8.2-1 readline
  + libreadline.so.8()(64bit)
  - libtinfo.so.6()(64bit)
  P: readline-devel 8.2-1 readline
  - readline = 8.2-1
  P: mawk 1-1 mawk
  + awk
  P: gawk 5-1 gawk
  + awk
`;

const closure = (requirements: string[], preferredOrigin?: string) =>
  resolveClosure(
    new ProviderIndex(repository(tree)),
    requirements.map(parseDependency),
    preferredOrigin === undefined ? {} : { preferredOrigin },
  );

test('follows generated capabilities; closures stop at the toolchain', () => {
  const { members, unresolved } = closure(['readline-devel', 'gcc'], 'toolchain');
  expect(members.map(({ name }) => name)).toEqual(['ncurses-libs', 'readline', 'readline-devel', 'kiln-toolchain']);
  expect(unresolved).toEqual([]);
});

test('without the toolchain the tree answers', () => {
  const index = new ProviderIndex(repository(tree).filter(({ origin }) => origin !== 'toolchain'));
  const { members } = resolveClosure(index, [parseDependency('readline')]);
  expect(members.map(({ name }) => name)).toEqual(['glibc', 'ncurses-libs', 'readline']);
});

test('a version that nobody has is unresolved and says what is on offer', () => {
  const { unresolved } = closure(['readline >= 9']);
  expect(unresolved).toHaveLength(1);
  expect(unresolved[0]!.offers).toEqual([parseDependency('readline = 8.2-1')]);
});

test('among several providers the choice is deterministic and has a reason', () => {
  const choice = closure(['awk']).choices[0];
  expect(choice).toEqual({ dependency: 'awk', chosen: 'gawk', others: ['mawk'], reason: 'first by name' });
  expect(closure(['mawk', 'awk']).members.map(({ name }) => name)).toEqual(['mawk']);
  expect(closure(['mawk', 'awk']).choices[0]?.reason).toBe('already chosen');
});

test('an unresolved requirement names who requires it', () => {
  const { unresolved } = closure(['gcc']);
  expect(unresolved.map(({ dependency, requiredBy }) => [dependency.name, requiredBy])).toEqual([
    ['nothing-at-all', 'kiln-toolchain'],
  ]);
});
