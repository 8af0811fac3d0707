import type { BuildError } from '@kiln/diagnostics';
import { formatToolchainManifest, manifestDigest, parseToolchainManifest } from '@kiln/toolchain';
import { expect, it } from 'vitest';

const KEY = 'A'.repeat(40);
const DIGEST = '0'.repeat(64);
const bash = {
  nevra: 'bash-5.2-1.x86_64',
  size: 7,
  sha256: DIGEST,
  repository: 'base',
  path: 'Packages/bash-5.2-1.x86_64.rpm',
  key: KEY,
  source: 'bash-5.2-1.src.rpm',
};
const whole = {
  architecture: 'x86_64',
  snapshot: '2026-11-20T00:00:00Z',
  keys: { [KEY]: 'toolkit/keys/base.asc' },
  repositories: [{ name: 'base', url: 'https://rpms.example/base/', priority: 10, rpmKey: KEY, metadataKey: KEY }],
  roots: ['bash'],
  lists: ['toolkit/list.txt'],
  packages: [bash],
  provides: { [bash.nevra]: ['/bin/bash', 'bash = 5.2-1'] },
};

/** Code, message and line of the error for a manifest in which something was replaced. */
function problem(change: (text: string) => string): string {
  const text = change(formatToolchainManifest(parseToolchainManifest(JSON.stringify(whole), 'x.json')));
  try {
    parseToolchainManifest(text, 'toolkit/manifests/x.json');
  } catch (error) {
    const { code, message, location } = error as BuildError;
    return `${location?.file}:${location?.line}: ${code}: ${message}`;
  }
  return 'none';
}

const replaced = (from: string, to: string) =>
  problem((text) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  });

it('is read as it is written, a package a line', () => {
  const manifest = parseToolchainManifest(JSON.stringify(whole), 'x.json');
  expect(manifest).toMatchObject(whole);
  const text = formatToolchainManifest(manifest);
  expect(parseToolchainManifest(text, 'x.json')).toMatchObject(whole);
  expect(text.split('\n').filter((line) => line.includes('"nevra"'))).toHaveLength(1);
  // A request has no answer yet.
  const { packages: _, provides: __, ...request } = whole;
  expect(parseToolchainManifest(JSON.stringify(request), 'x.json').packages).toEqual([]);
});

it.each([
  ['"path":"Packages/', '"path":"../../etc/', ":17: TOOLCHAIN_MANIFEST_INVALID: the path '../../etc/bash"],
  ['"path":"Packages/', '"path":"/etc/', ":17: TOOLCHAIN_MANIFEST_INVALID: the path '/etc/bash"],
  ['"path":"Packages/', '"path":"http://other.example/', 'leaves its directory'],
  ['toolkit/list.txt', '../list.txt', "the path '../list.txt' leaves its directory"],
  ['toolkit/keys/base.asc', '/root/base.asc', "the path '/root/base.asc' leaves its directory"],
  ['https://rpms.example/base/', '../elsewhere', "the path '../elsewhere' leaves its directory"],
  ['https://rpms.example/base/', 'ftp://rpms.example/', "'ftp://rpms.example/' is not an address"],
  ['https://rpms.example/base/', 'https:///', "'https:///' is not an address"],
  ['https://rpms.example/base/', 'https://rpms.example:99999/', 'is not an address'],
  ['https://rpms.example/base/', 'https://rpms.example/?token=1', "is not an address (without '?' and '#')"],
  ['https://rpms.example/base/', 'file://rpms/base', "'file://rpms/base' is not an address"],
  ['https://rpms.example/base/', 'file:///rpms%2Fbase', "'file:///rpms%2Fbase' is not an address"],
  [
    '"repository":"base"',
    '"repository":"basse"',
    "'basse' is not a repository of 'repositories'; did you mean 'base'?",
  ],
  [`"key":"${KEY}"`, `"key":"${'B'.repeat(40)}"`, "is not a key of 'keys'"],
  ['"size":7', '"size":-7', 'a natural number is expected here'],
  [DIGEST, DIGEST.slice(1), 'is not a SHA-256'],
  ['"nevra":"bash-5.2-1.x86_64"', '"nevra":"bash"', "'bash' is not name-[epoch:]version-release.arch"],
  ['"nevra"', '"navra"', "'navra' is not known here; did you mean 'nevra'?"],
  ['"size":7,', '', "the member 'size' is missing"],
  ['"roots"', '"root"', "'root' is not known here; did you mean 'roots'?"],
  ['2026-11-20T00:00:00Z', 'yesterday', "'yesterday' is not a time like"],
  ['2026-11-20T00:00:00Z', '2026-02-30T00:00:00Z', "'2026-02-30T00:00:00Z' is not a time like"],
  ['2026-11-20T00:00:00Z', '2026-11-20T25:00:00Z', 'is not a time like'],
  ['"bash-5.2-1.x86_64": [', '"dash-1-1.x86_64": [', "'dash-1-1.x86_64' is not a package of 'packages'"],
])('refuses %s as %s', (from, to, message) => {
  expect(replaced(from, to)).toContain(message);
});

it('refuses half a file and a package that stands there twice, with the line', () => {
  expect(problem((text) => text.slice(0, text.length / 2))).toMatch(
    /x\.json:\d+: TOOLCHAIN_MANIFEST_INVALID: .*not JSON/,
  );
  const line = JSON.stringify(bash);
  expect(replaced(line, `${line},\n    ${line}`)).toBe(
    "toolkit/manifests/x.json:18: TOOLCHAIN_MANIFEST_INVALID: 'bash-5.2-1.x86_64' stands there twice",
  );
});

it('is the same toolchain from another mirror, and another one with another byte', () => {
  const digest = (change: object, pkg: object = {}) =>
    manifestDigest(
      parseToolchainManifest(JSON.stringify({ ...whole, ...change, packages: [{ ...bash, ...pkg }] }), 'x.json'),
    );
  const own = digest({});
  expect(digest({ repositories: [{ name: 'base', url: 'file:///mirror' }] }, { path: 'b/bash.rpm' })).toBe(own);
  expect(digest({}, { sha256: '1'.repeat(64) })).not.toBe(own);
  expect(digest({ provides: {} }, { nevra: 'bash-5.2-2.x86_64' })).not.toBe(own);
});
