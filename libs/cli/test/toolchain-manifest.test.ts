import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestChanges } from '../src/commands/toolchain-manifest.ts';
import { runMain } from './run-main.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const FIXTURES = join(REPOSITORY, 'libs/rpm-repository/test/fixtures');
const MANIFEST = 'toolkit/manifests/small.json';
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-manifest-'));
  for (const directory of ['toolkit/manifests', 'rpms/noarch']) mkdirSync(join(root, directory), { recursive: true });
  for (const part of ['distro.json', 'macros', 'toolchain'])
    cpSync(join(REPOSITORY, 'toolkit', part), join(root, 'toolkit', part), { recursive: true });
  copyFileSync(join(FIXTURES, 'minimal-1-1.noarch.rpm'), join(root, 'rpms/noarch/minimal-1-1.noarch.rpm'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const request = (roots: readonly string[]) =>
  writeFileSync(
    join(root, MANIFEST),
    JSON.stringify({ architecture: 'x86_64', repositories: [{ name: 'own', url: 'rpms' }], roots }),
  );

test('writes the packages of a directory of RPMs into what asks for them', async () => {
  request(['minimal']);
  const first = await runMain('-C', root, 'toolchain-manifest', MANIFEST);
  expect(first.out + first.err).toContain(`wrote ${MANIFEST}: 1 packages`);
  const written = readFileSync(join(root, MANIFEST), 'utf8');
  expect(JSON.parse(written)).toMatchObject({
    roots: ['minimal'],
    packages: [{ nevra: 'minimal-1-1.noarch', repository: 'own', path: 'noarch/minimal-1-1.noarch.rpm' }],
    provides: { 'minimal-1-1.noarch': ['minimal = 1-1'] },
  });
  // Made again from the same, it is the same.
  const second = await runMain('-C', root, 'toolchain-manifest', MANIFEST);
  expect(second.status).toBe(0);
  expect(readFileSync(join(root, MANIFEST), 'utf8')).toBe(written);
});

test('says what is missing and leaves the file as it was', async () => {
  request(['minimal', 'minimum']);
  const before = readFileSync(join(root, MANIFEST), 'utf8');
  const { status, err } = await runMain('-C', root, 'toolchain-manifest', MANIFEST);
  expect(status).toBe(1);
  expect(err).toContain("nothing provides 'minimum'");
  expect(readFileSync(join(root, MANIFEST), 'utf8')).toBe(before);
});

test('tells a provider without a manifest from a missing file', async () => {
  expect((await runMain('-C', root, 'toolchain-manifest')).err).toContain("the toolchain 'debian' has no manifest");
  const missing = await runMain('-C', root, 'toolchain-manifest', 'toolkit/manifests/none.json');
  expect(missing.err).toContain("toolkit/manifests/none.json can't be read");
});

test('refuses to sign where no key is named', async () => {
  request(['minimal']);
  const { status, err } = await runMain('-C', root, 'toolchain-manifest', '--sign', MANIFEST);
  expect(status).toBe(1);
  expect(err).toContain('names no key that the manifest could be signed with');
});

test('a manifest never lies beside the signature of another one', async () => {
  request(['minimal']);
  expect((await runMain('-C', root, 'toolchain-manifest', MANIFEST)).status).toBe(0);
  writeFileSync(join(root, `${MANIFEST}.asc`), 'a signature');
  // The same text keeps it.
  await runMain('-C', root, 'toolchain-manifest', MANIFEST);
  expect(existsSync(join(root, `${MANIFEST}.asc`))).toBe(true);
  // What can't be signed isn't written.
  request(['minimal = 1-1']);
  const before = readFileSync(join(root, MANIFEST), 'utf8');
  expect((await runMain('-C', root, 'toolchain-manifest', '--sign', MANIFEST)).status).toBe(1);
  expect(readFileSync(join(root, MANIFEST), 'utf8')).toBe(before);
  expect(existsSync(join(root, `${MANIFEST}.asc`))).toBe(true);
  const { out, err } = await runMain('-C', root, 'toolchain-manifest', MANIFEST);
  expect(out + err).toContain(`${MANIFEST}.asc was a signature of what it was before: sign it with --sign`);
  expect(existsSync(join(root, `${MANIFEST}.asc`))).toBe(false);
});

test('lists what came, went and is another file', () => {
  const packages = (...all: readonly [string, string][]) => ({
    packages: all.map(([nevra, sha256]) => ({ nevra, sha256 })) as never,
  });
  const before = packages(['a-1-1.noarch', '0'], ['b-1-1.noarch', '1'], ['c-1-1.noarch', '2']);
  const after = packages(['a-1-2.noarch', '3'], ['b-1-1.noarch', '4'], ['c-1-1.noarch', '2']);
  expect(manifestChanges(before, after)).toEqual([
    '- a-1-1.noarch',
    '+ a-1-2.noarch',
    '! b-1-1.noarch is another file',
  ]);
  expect(manifestChanges(packages(), after)).toEqual([]);
});
