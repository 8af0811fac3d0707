import { sha256 } from '@kiln/build-identity';
import type { ToolchainManifest } from '@kiln/toolchain';
import { expect, test } from 'vitest';
import { toolchainMembers, withSpecs } from '../src/toolchain-members.ts';
import { treeOf } from './tree-text.ts';

const tree = treeOf('S: a\nP: a-devel\nP: a-debuginfo\nS: b');
const rpm = (nevra: string, source: string) => ({
  ...{ nevra, source, size: 1, sha256: sha256(nevra), repository: 'base', path: `${nevra}.rpm` },
});
const request = { architecture: 'x86_64', keys: {}, repositories: [], roots: [], lists: [] };
const [a, devel] = [rpm('a-1-1.x86_64', 'a-1-1.src.rpm'), rpm('a-devel-1-1.x86_64', 'a-1-1.src.rpm')];
const other = rpm('b-2-1.x86_64', 'b-2-1.src.rpm');
const whole: ToolchainManifest = {
  ...request,
  ...{ packages: [a, other], others: [devel], provides: {}, specs: {} },
};
const manifest = withSpecs('/nowhere', whole, tree);
const problemOf = (changed: Partial<ToolchainManifest>, packages = tree) =>
  toolchainMembers('/nowhere', { kind: 'repository', manifest: { ...manifest, ...changed } }, packages).get('a/a')
    ?.problem;

test('a package is a member when the toolchain has all its RPMs in its version, but for debug information', () => {
  expect(Object.keys(manifest.specs)).toEqual(['a/a']);
  expect(manifest.others).toEqual([devel]);
  expect(Object.keys(withSpecs('/nowhere', { ...whole, others: [] }, tree).specs)).toEqual([]);
  expect(problemOf({})).toBeUndefined();
});

test('an edited member is an error', () => {
  const edited = tree.map((one) => ({ ...one, spec: { ...one.spec, digest: sha256('edited') } }));
  expect(problemOf({}, edited)).toMatchObject({
    code: 'TOOLCHAIN_MEMBER_CHANGED',
    location: { file: 'SPECS/a/a.spec', line: 1 },
  });
});

test('a member of which the manifest has lost an RPM is an error, instead of a package with fewer', () => {
  expect(problemOf({ others: [] })).toMatchObject({
    code: 'TOOLCHAIN_MEMBER_INCOMPLETE',
    message: 'a/a is part of the toolchain, whose manifest lacks its packages a-devel',
    location: { file: 'SPECS/a/a.spec', line: 1 },
  });
});
