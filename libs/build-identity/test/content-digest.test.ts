import { expect, test } from 'vitest';
import { contentDigest, sha256, type RpmContent } from '@kiln/build-identity';
import { parseDependency, parseEvr } from '@kiln/rpm-package';

const base = (release: string): RpmContent => ({
  name: 'libone',
  arch: 'x86_64',
  evr: parseEvr(`1.0-${release}`),
  dependencies: {
    provides: [parseDependency(`libone = 1.0-${release}`), parseDependency('libone.so.1()(64bit)')],
    requires: [parseDependency('libc.so.6()(64bit)')],
  },
  scriptlets: {},
  files: [
    { path: '/usr/lib/libone.so.1', mode: 0o100755, user: 'root', group: 'root', flags: 0, digest: sha256('code') },
    { path: `/usr/lib/.build-id/${release}`, mode: 0o120777, user: 'root', group: 'root', flags: 0, linkTarget: 'x' },
  ],
});

const changed = (change: (content: RpmContent) => Partial<RpmContent>) => {
  const content = base('1');
  return contentDigest({ ...content, ...change(content) });
};

test('a release bump with equal files keeps the digest', () => {
  expect(contentDigest(base('1'))).toBe(contentDigest(base('2')));
});

test('the order of files and dependencies does not count', () => {
  expect(changed(({ files }) => ({ files: [...files].reverse() }))).toBe(contentDigest(base('1')));
});

test.each<[string, (content: RpmContent) => Partial<RpmContent>]>([
  ['a file', ({ files }) => ({ files: [{ ...files[0]!, digest: sha256('other') }] })],
  ['a mode', ({ files }) => ({ files: [{ ...files[0]!, mode: 0o104755 }, files[1]!] })],
  ['an owner', ({ files }) => ({ files: [{ ...files[0]!, user: 'daemon' }, files[1]!] })],
  ['a capability', ({ files }) => ({ files: [{ ...files[0]!, capabilities: 'cap_net_raw=ep' }, files[1]!] })],
  ['a scriptlet', () => ({ scriptlets: { post: '/bin/sh\ntrue' } })],
  ['a requirement', ({ dependencies }) => ({ dependencies: { ...dependencies, requires: [] } })],
  [
    "another package's version",
    ({ dependencies }) => ({ dependencies: { ...dependencies, requires: [parseDependency('bash >= 5')] } }),
  ],
  ['a provide', ({ dependencies }) => ({ dependencies: { ...dependencies, provides: [] } })],
])('%s changes the digest', (_, change) => {
  expect(changed(change)).not.toBe(contentDigest(base('1')));
});
