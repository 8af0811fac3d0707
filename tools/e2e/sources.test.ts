/** Source files of a tree: which can be had, from where, and how their digests are changed. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import { kiln, nx } from './run-kiln.ts';
import { edit, makeSmallTree, restore, type SmallTree } from './small-tree.ts';

let top: string;
let tree: SmallTree;

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'kiln-tree-sources-'));
  mkdirSync(join(top, 'mirror'));
  tree = makeSmallTree(join(top, 'tree'), join(top, 'store'));
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

/** Moves the only source of `alone` to a mirror that the configuration names. */
function mirrorAlone(): void {
  restore(tree);
  renameSync(join(tree.root, 'SPECS/alone/alone.c'), join(top, 'mirror/alone.c'));
  const mirror = `${pathToFileURL(join(top, 'mirror')).href}/`;
  edit(tree, 'toolkit/distro.json', (text) =>
    text.replace('"debianLock"', `"places": [{ "from": "debian-archive" }, { "from": "${mirror}" }], "debianLock"`),
  );
}

it('tells of the whole tree where each file came from, and what is missing', async () => {
  mirrorAlone();
  edit(tree, 'SPECS/two/two.signatures.json', (text) => text.replace('two.c', 'other.c'));
  rmSync(join(tree.root, 'SPECS/two/two.c'));
  const { status, output } = await kiln(tree, 'sources');
  expect(status).toBe(1);
  expect(output).toMatch(/alone\/alone +alone\.c +file:.*mirror\/ +file:.*mirror\/alone\.c/);
  expect(output).toMatch(/one\/one +one\.c +tree +SPECS\/one\/one\.c/);
  expect(output).toMatch(/SOURCES_INCOMPLETE: source files of 1 package can't be had/);
  expect(output).toMatch(/SPECS\/two\/two\.spec:6.*SOURCE_UNSIGNED/s);
});

it('is a target of each package that Nx caches', async () => {
  mirrorAlone();
  const first = await nx(tree, 'run-many', '-t', 'sources', '-p', 'alone/alone', '--outputStyle=static');
  expect(first.status, first.output).toBe(0);
  expect(first.built).toEqual(['sources:alone/alone']);
  const report = JSON.parse(readFileSync(join(tree.root, 'dist/sources/alone/alone.json'), 'utf8')) as unknown;
  expect(report).toMatchObject([{ fileName: 'alone.c', address: expect.stringContaining('mirror/alone.c') }]);
  expect((await nx(tree, 'run-many', '-t', 'sources', '-p', 'alone/alone')).built).toEqual([]);
});

it('changes digests only when told to, and shows the change', async () => {
  mirrorAlone();
  const signatures = () => readFileSync(join(tree.root, 'SPECS/alone/alone.signatures.json'), 'utf8');
  const [before, old] = [signatures(), sha256(readFileSync(join(top, 'mirror/alone.c')))];
  writeFileSync(join(top, 'mirror/alone.c'), 'int changed;\n');
  rmSync(join(top, 'store'), { recursive: true, force: true });
  const refused = await kiln(tree, 'sources', 'alone');
  expect(refused.output).toMatch(/SOURCE_DIGEST_MISMATCH.*alone\.c must have SHA-256/);
  expect(signatures()).toBe(before);
  const updated = await kiln(tree, 'sources', '--update', 'alone');
  const now = sha256('int changed;\n');
  expect(updated.output).toContain(`  - ${old}  alone.c\n  + ${now}  alone.c  (file:`);
  expect(JSON.parse(signatures())).toEqual({ Signatures: { 'alone.c': now } });
  expect((await kiln(tree, 'sources', 'alone')).status).toBe(0);
});

it('tells what an update has changed before it met a package that it cannot update', async () => {
  mirrorAlone();
  writeFileSync(join(top, 'mirror/alone.c'), 'int again;\n');
  edit(tree, 'SPECS/two/two.spec', (text) => text.replace('two.c', 'http://127.0.0.1:9/gone.c'));
  const { status, output } = await kiln(tree, 'sources', '--update', 'alone', 'two');
  expect(status).toBe(1);
  expect(output).toContain(`  + ${sha256('int again;\n')}  alone.c  (file:`);
  expect(output).toMatch(/SPECS\/two\/two\.spec:6.*SOURCE_MISSING: gone\.c can't be had/s);
});
