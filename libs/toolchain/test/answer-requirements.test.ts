import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  answerRequirement,
  keysFor,
  packagesByStem,
  type AnswerContext,
  type Requirement,
} from '../src/answer-requirements.ts';
import { FoundFiles, keysOf, parsePackagesIndex } from '../src/debian-archive-index.ts';
import { closureOf, countDependents, resolveDepends } from '../src/debian-closure.ts';

const fixture = (name: string) => readFileSync(new URL(`fixtures/archive/${name}`, import.meta.url), 'utf8');
const archive = parsePackagesIndex(fixture('Packages'));
const base = new Set(['libc6', 'perl-base']);

function answer(requirement: Partial<Requirement> & { readonly name: string }, stated: AnswerContext['stated'] = {}) {
  const asked = { files: [], ...requirement };
  const files = new FoundFiles(keysFor(asked));
  for (const line of fixture('Contents').split('\n')) files.add(line);
  const context = {
    archive,
    files,
    base,
    stated,
    dependents: countDependents(archive),
    stems: packagesByStem(archive),
  };
  return answerRequirement(asked, context);
}

test.each([
  ['pkgconfig(pond)', 'libpond-dev', 'pkgconfig'],
  ['libpond.so.1()(64bit)', 'libpond1', 'library'],
  ['/usr/bin/pond', 'pond-tools', 'path'],
  ['/usr/sbin/pond', 'pond-tools', 'path'],
  ['/bin/pond', 'pond-tools', 'path'],
  ['/usr/bin/ripple', 'pond-tools', 'path'],
  ['perl(Bird::Song)', 'libbird-song-perl', 'perl'],
  ['perl-Bird-Song', 'libbird-song-perl', 'perl'],
  ['python3dist(frog-pond)', 'python3-frog-pond', 'python'],
  ['python3-frog_pond', 'python3-frog-pond', 'python'],
  ['python3-frog-pond', 'python3-frog-pond', 'name'],
  ['cmake(Weather)', 'weather-data', 'cmake'],
  ['pond-tools', 'pond-tools', 'name'],
  ['libpond-devel', 'libpond-dev', 'name'],
  ['pond-devel(x86-64)', 'libpond-dev', 'name'],
])('%s is answered by %s', (name, debian, rule) => {
  expect(answer({ name })).toMatchObject({ packages: [debian], rule });
});

test('a module that the base layer has is taken from there', () => {
  expect(answer({ name: 'perl(Nest)' })).toMatchObject({ packages: ['perl-base'], others: ['libbird-perl'] });
});

test.each(['pkgconfig(wanted)', 'lake-devel', 'perl(Fish)', 'pkgconfig(gone)'])('nothing answers %s', (name) => {
  expect(answer({ name })).toBeUndefined();
});

test('the version of the tree decides between libraries of one name', () => {
  expect(answer({ name: 'stone-devel', version: '3.0' })?.packages).toEqual(['libstone3.0-dev']);
  expect(answer({ name: 'stone-devel', version: '2.4' })?.packages).toEqual(['libstone2.4-dev']);
});

test('files of the tree find a package of another name', () => {
  const found = answer({ name: 'water-devel', files: ['/usr/include/pond/*', '/usr/lib/pkgconfig/pond.pc'] });
  expect(found).toMatchObject({ packages: ['libpond-dev'], rule: 'files', evidence: '/usr/include/pond/* and 1 more' });
});

test('what Debian has split is answered by all its parts', () => {
  const files = ['/usr/include/reed.h', '/usr/include/reed-mud/mud.h'];
  expect(answer({ name: 'reed-devel', files })?.packages).toEqual(['libreed-dev', 'libreed-mud-dev']);
});

test('a program does not make a package a development package', () => {
  expect(answer({ name: 'reed-devel', files: ['/usr/bin/pond'] })?.packages).toEqual(['libreed-dev']);
});

test('programs come with a library whose own package has them in the tree', () => {
  expect(answer({ name: 'pond-devel' })?.packages).toEqual(['libpond-dev']);
  expect(answer({ name: 'pond-devel', hasPrograms: true })?.packages).toEqual(['libpond-dev', 'pond-tools']);
});

test('a stated answer comes before all rules', () => {
  const stated = { 'pkgconfig(pond)': { packages: ['libpebble-dev'], reason: 'for the test' } };
  expect(answer({ name: 'pkgconfig(pond)' }, stated)).toEqual({
    packages: ['libpebble-dev'],
    rule: 'stated',
    evidence: 'for the test',
  });
});

test('the merged /usr has one key for a program', () => {
  expect(keysOf('bin/ripple')).toEqual(keysOf('usr/bin/ripple'));
});

test('dependencies: base layer, then the first name, then who provides it', () => {
  const context = { archive, base, exclude: new Set(['weather-data']) };
  const depends = resolveDepends(['libstone3.0-dev'], context);
  expect(depends.get('libpond-dev')).toEqual(['libpond1', 'libstone2.4-dev']);
  expect(depends.get('libpond1')).toEqual(['libc6']);
  expect(closureOf(['libstone3.0-dev'], (name) => depends.get(name)!, base)).toEqual([
    'libpond-dev',
    'libpond1',
    'libstone2.4-dev',
    'libstone3.0-dev',
  ]);
});

test('an update replaces a package of the main index', () => {
  const text = `${fixture('Packages')}\nPackage: libpond1\nVersion: 2:1.4+dfsg-3+deb12u1\nArchitecture: amd64\nFilename: pool/updates/main/p/pond/libpond1.deb\nSize: 5\nSHA256: ${'3'.repeat(64)}\n`;
  expect(parsePackagesIndex(text).get('libpond1')).toMatchObject({
    version: '2:1.4+dfsg-3+deb12u1',
    archive: 'security',
    size: 5,
  });
});
