import { parseSha256 } from '@kiln/build-identity';
import { expect, test } from 'vitest';
import { requirementSet, type DebianFullToolchain } from '../src/debian-full.ts';
import { FULL_RECIPE } from '../src/layer-recipe.ts';
import { formatRequirementsLock, parseRequirementsLock, type RequirementsLock } from '../src/requirements-lock.ts';
import { parseStatedAnswers } from '../src/stated-answers.ts';

const node = (name: string, digit: string, depends: readonly string[] = []) => ({
  name,
  version: '1-1',
  architecture: 'amd64',
  sha256: parseSha256(digit.repeat(64)),
  size: 10,
  archive: 'main' as const,
  path: `pool/main/x/${name}_1-1_amd64.deb`,
  depends,
});
const nodes = [
  node('always', '1'),
  node('liba', '2', ['base']),
  node('liba-dev', '3', ['liba']),
  node('b', '4'),
  node('base', '5'),
];
const lock: RequirementsLock = {
  suite: 'bookworm',
  releases: { bookworm: 'f'.repeat(64) },
  answers: new Map([
    ['a-devel', { packages: ['liba-dev'], rule: 'name', evidence: 'a', version: '1' }],
    ['perl(B)', { packages: ['b'], rule: 'perl', evidence: 'usr/share/perl5/B.pm' }],
  ]),
  unanswered: ['c-devel'],
  always: ['always'],
  inEveryRoot: [],
  packages: new Map(nodes.map((one) => [one.name, one])),
};
const toolchain = {
  identity: parseSha256('e'.repeat(64)),
  recipe: FULL_RECIPE,
  lock: { suite: 'bookworm', packages: [node('base', '5')], libraryCapabilities: [] },
  requirements: lock,
} as unknown as DebianFullToolchain;

test('what is written is read again', () => {
  expect(parseRequirementsLock(formatRequirementsLock(lock), 'x.lock.json')).toEqual(lock);
});

test.each([
  ['no JSON', '{', /JSON/],
  [
    'a package of an answer is missing',
    formatRequirementsLock(lock).replace('["liba-dev"]', '["libz-dev"]'),
    /'a-devel' needs 'libz-dev'/,
  ],
  ['a dependency is missing', formatRequirementsLock(lock).replace('["liba"]', '["libz"]'), /liba-dev needs 'libz'/],
  ['a digest is none', formatRequirementsLock(lock).replace('4'.repeat(64), '4'), /4/],
])('a lock is refused when %s', (_, text, message) => {
  expect(() => parseRequirementsLock(text, 'x.lock.json')).toThrow(message);
});

test('a root has the closure of what answers, above the base layer', () => {
  const set = requirementSet(toolchain, ['a-devel', 'gcc', 'a-devel']);
  expect(set.packages.map(({ name }) => name)).toEqual(['always', 'liba', 'liba-dev']);
  expect(set.answers.map(([name]) => name)).toEqual(['a-devel']);
  expect([...set.members]).toContain('base');
});

test('what every root has is there unasked', () => {
  const set = requirementSet({ ...toolchain, requirements: { ...lock, inEveryRoot: ['perl(B)'] } }, ['a-devel']);
  expect(set.answers.map(([name]) => name)).toEqual(['a-devel', 'perl(B)']);
});

test('what an answer needs comes with it', () => {
  const answers = new Map([
    ...lock.answers,
    ['a-devel', { ...lock.answers.get('a-devel')!, needs: ['perl(B)'] }] as const,
  ]);
  const set = requirementSet({ ...toolchain, requirements: { ...lock, answers } }, ['a-devel']);
  expect(set.answers.map(([name]) => name)).toEqual(['a-devel', 'perl(B)']);
  expect(set.packages.map(({ name }) => name)).toContain('b');
  const unknown = formatRequirementsLock({ ...lock, answers }).replace('["perl(B)"]', '["perl(C)"]');
  expect(() => parseRequirementsLock(unknown, 'x.lock.json')).toThrow("needs 'perl(C)'");
});

test('the identity is that of what the root has and answers', () => {
  const identity = (one: DebianFullToolchain, names: string[]) => requirementSet(one, names).identity;
  const usual = identity(toolchain, ['a-devel']);
  const changed = (parts: Partial<RequirementsLock>) => ({ ...toolchain, requirements: { ...lock, ...parts } });
  expect(identity(toolchain, ['a-devel', 'c-devel'])).toBe(usual);
  expect(identity(changed({ unanswered: [], releases: {} }), ['a-devel'])).toBe(usual);
  expect(identity(toolchain, ['a-devel', 'perl(B)'])).not.toBe(usual);
  expect(identity({ ...toolchain, identity: parseSha256('d'.repeat(64)) }, ['a-devel'])).not.toBe(usual);
  const other = new Map([...lock.packages, ['liba', node('liba', '6', ['base'])] as const]);
  expect(identity(changed({ packages: other }), ['a-devel'])).not.toBe(usual);
  const newer = new Map([['a-devel', { packages: ['liba-dev'], rule: 'name', evidence: 'a', version: '2' }] as const]);
  expect(identity(changed({ answers: newer }), ['a-devel'])).not.toBe(usual);
});

test('a stated answer needs packages and a reason', () => {
  const text = JSON.stringify({
    exclude: ['debconf'],
    stated: { x: { packages: [], reason: 'has only directories' } },
  });
  expect(parseStatedAnswers(text, 'full.json')).toMatchObject({ exclude: ['debconf'], inEveryRoot: [] });
  const refuse = (stated: unknown) => () => parseStatedAnswers(JSON.stringify({ exclude: [], stated }), 'full.json');
  expect(refuse({ x: { packages: ['a'] } })).toThrow("full.json: 'x' has no reason");
  expect(refuse({ x: { reason: 'because it is' } })).toThrow("'packages' of 'x' must be a list");
  expect(() => parseStatedAnswers('{"exclude": [], "stated": {}, "more": 1}', 'full.json')).toThrow(
    "the member 'more' is unknown",
  );
});
