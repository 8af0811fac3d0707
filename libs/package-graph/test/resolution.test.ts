import { expect, test } from 'vitest';
import { isAmbiguous, ProviderIndex, resolveClosure } from '@kiln/package-graph';
import { formatDependency, parseDependency } from '@kiln/rpm-package';
import { repository } from './repository-text.ts';

/** `requirements => members`, and after ` | ` what is unresolved or in conflict. */
function solve(text: string, requirements: string, declared: [string, string][] = []): string {
  const roots = requirements.split('; ').map(parseDependency);
  const closure = resolveClosure(new ProviderIndex(repository(text)), roots, { declared: new Map(declared) });
  const members = closure.members.map(({ name, evr }) => `${name}-${evr.version}`).join(' ');
  const lacks = closure.unresolved.map(({ dependency }) => formatDependency(dependency));
  const conflicts = closure.conflicts.map((one) => `${one.package} ${one.kind} ${one.with.join('+')}`);
  return [members, ...lacks, ...conflicts].join(' | ');
}

const versions = `
  P: tool 1.0-1 a
  P: tool 1.5~rc1-1 b
  P: tool 1.5^git1-1 c
  P: tool 1:0.1-1 d
  / usr/bin/tool
`;

test.each([
  ['tool', 'tool-0.1'],
  ['tool < 1.5', 'tool-1.5~rc1'],
  ['tool > 1.5', 'tool-0.1'],
  ['tool > 1.5; tool < 1:0', 'tool-1.5^git1'],
  ['tool >= 1.2; tool < 1.5; tool > 0.5', 'tool-1.5~rc1'],
  ['tool < 1.5~', 'tool-1.0'],
  ['/usr/bin/tool', 'tool-0.1'],
  ['/usr/bin/tool; tool < 1', 'tool-0.1 | tool < 1'],
  ['tool = 9', ' | tool = 9'],
])('versions: %s', (requirements, expected) => expect(solve(versions, requirements)).toBe(expected));

const rich = `
  P: a 1-1
  + lib = 1
  + lib(new)
  P: b 2-1
  + lib = 2
  P: c 1-1
  + feature
  P: d 1-1
  - (b if c else a)
`;

test.each([
  ['(a and c)', 'a-1 c-1'],
  ['(b or a)', 'b-2'],
  ['a; (b or a)', 'a-1'],
  ['(missing or (a and c))', 'a-1 c-1'],
  ['(lib with lib(new))', 'a-1'],
  ['(lib without lib(new))', 'b-2'],
  ['(lib >= 1 with lib < 2)', 'a-1'],
  ['(a if feature)', ''],
  ['(a if feature); c', 'a-1 c-1'],
  ['(a if feature else b)', 'b-2'],
  ['(a or (b unless c))', 'a-1'],
  ['d', 'a-1 d-1'],
  ['d; c', 'b-2 c-1 d-1'],
  ['(missing if c); c', 'c-1 | (missing if c) | missing'],
  ['(a and missing)', 'a-1 | missing'],
  ['(a', ' | (a'],
])('rich dependencies: %s', (requirements, expected) => expect(solve(rich, requirements)).toBe(expected));

const excluding = `
  P: awk-a 1-1
  + awk
  ! base
  P: awk-b 1-1
  + awk
  P: base 1-1
  P: old 1-1
  + thing
  P: new 2-1
  + thing
  ~ old < 2
  P: user-of-both 1-1
  ! (awk-b and base)
`;

test.each([
  ['awk', 'awk-a-1'],
  ['awk; base', 'awk-b-1 base-1'],
  ['awk-a; base', 'awk-a-1 base-1 | awk-a conflicts base'],
  ['old; new', 'new-2 old-1 | new obsoletes old'],
  ['user-of-both; awk; base', 'awk-a-1 base-1 user-of-both-1 | awk-a conflicts base'],
])('what excludes something: %s', (requirements, expected) => expect(solve(excluding, requirements)).toBe(expected));

test('a candidate that can not be installed is passed over', () => {
  const text = `
    P: first 1-1
    + x
    - missing
    P: second 1-1
    + x
  `;
  expect(solve(text, 'x')).toBe('second-1');
  const { choices } = resolveClosure(new ProviderIndex(repository(text)), [{ name: 'x' }]);
  expect(choices).toEqual([{ dependency: 'x', chosen: 'second', others: ['first'], reason: 'others fail' }]);
});

test('a choice that no rule decides is ambiguous, and the distribution can decide it', () => {
  const { choices } = resolveClosure(new ProviderIndex(repository(excluding)), [{ name: 'awk' }]);
  expect(choices.map(isAmbiguous)).toEqual([true]);
  expect(solve(excluding, 'awk', [['awk', 'awk-b']])).toBe('awk-b-1');
});
