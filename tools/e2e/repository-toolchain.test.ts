/** The toolchain `repository`: packages are built on prebuilt RPMs alone, which come from a server and are signed. */
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHost } from '@kiln/host';
import { readRpmHeader } from '@kiln/rpm-repository';
import { defaultStoreDirectory, Store } from '@kiln/store';
import { loadToolchain, prepareToolchain } from '@kiln/toolchain';
import { makeKey } from '../../libs/rpm-repository/test/signing-key.ts';
import { makeRepository, serveDirectory, type LoopbackServer } from '../../libs/toolchain/test/loopback-repository.ts';
import { makeSmallDistribution } from '../../libs/toolchain/test/small-distribution.ts';
import { kiln } from './run-kiln.ts';
import { commit, edit, makeSmallTree, REPOSITORY, write, type SmallTree } from './small-tree.ts';

const MINUTES = 60_000;
const MANIFEST = 'toolkit/manifests/base.json';
const RPM = 'dist/rpms/x86_64/alone-1.0-1.kl1.noarch.rpm';
let directory: string;
let tree: SmallTree;
let server: LoopbackServer;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-e2e-'));
  chmodSync(directory, 0o755);
  const [host, key] = [createHost(), makeKey(directory, 'base')];
  const shared = new Store(host, defaultStoreDirectory(process.env));
  const { toolchain: own } = JSON.parse(readFileSync(join(REPOSITORY, 'toolkit/distro.json'), 'utf8')) as {
    toolchain: Parameters<typeof loadToolchain>[1];
  };
  const debian = await prepareToolchain(host, shared, loadToolchain(REPOSITORY, own));
  const rpms = await makeSmallDistribution(shared, debian, join(directory, 'rpms'));
  await makeRepository(join(directory, 'served'), rpms, key);
  server = await serveDirectory(join(directory, 'served'));
  tree = makeSmallTree(join(directory, 'tree'), join(directory, 'store'));
  write(tree.root, 'toolkit/keys/base.asc', readFileSync(key.publicKeyFile, 'utf8'));
  const signed = { rpmKey: key.fingerprint, metadataKey: key.fingerprint };
  const request = {
    architecture: 'x86_64',
    keys: { [key.fingerprint]: 'toolkit/keys/base.asc' },
    repositories: [{ name: 'base', url: server.url, ...signed }],
    roots: ['rpm-build'],
  };
  write(tree.root, MANIFEST, JSON.stringify(request));
  edit(tree, 'toolkit/distro.json', (text) => {
    const config = JSON.parse(text) as { defines: object };
    const toolchain = { provider: 'repository', manifest: MANIFEST };
    // Nothing in it makes debuginfo.
    return JSON.stringify({ ...config, toolchain, defines: { ...config.defines, debug_package: '%{nil}' } });
  });
  commit(tree, 'Prebuilt RPMs');
}, 10 * MINUTES);

afterAll(() => {
  server.server.close();
  rmSync(directory, { recursive: true, force: true });
});

test('a package is built on it, once', { timeout: 10 * MINUTES }, async () => {
  const before = await kiln(tree, 'rpm', 'alone');
  expect(before.output).toContain('TOOLCHAIN_MANIFEST_EMPTY');
  const written = await kiln(tree, 'toolchain-manifest');
  expect(written.output).toContain(`wrote ${MANIFEST}: 2 packages`);
  const built = await kiln(tree, 'rpm', 'alone');
  expect(built.status, built.output).toBe(0);
  expect(built.built).toEqual(['toolchain:toolchain', 'rpm:alone/alone']);
  const { package: header } = await readRpmHeader(join(tree.root, RPM));
  expect(header.files.map(({ path }) => path)).toContain('/usr/share/alone/alone.c');
  expect((await kiln(tree, 'rpm', 'alone')).built).toEqual([]);
});

test('a second build over layers made anew gives the same files', { timeout: 10 * MINUTES }, async () => {
  const { status, output, built } = await kiln(tree, 'reproduce', 'alone');
  expect(status, output).toBe(0);
  expect(built).toContain('reproduce:alone/alone');
});

test('what it lacks is told of each package that asks for it', { timeout: 5 * MINUTES }, async () => {
  const { status, output } = await kiln(tree, 'rpm', 'one');
  expect(status).toBe(1);
  expect(output).toContain("nothing provides the BuildRequires 'gcc'");
});

test(
  'a package that the toolchain has is taken from it; edited it is an error',
  { timeout: 10 * MINUTES },
  async () => {
    const built = readFileSync(join(tree.root, RPM));
    edit(tree, MANIFEST, (text) => {
      const manifest = JSON.parse(text) as { repositories: object[]; roots: string[] };
      const repositories = [...manifest.repositories, { name: 'own', url: 'dist/rpms' }];
      return JSON.stringify({ ...manifest, repositories, roots: [...manifest.roots, 'alone'] });
    });
    const written = await kiln(tree, 'toolchain-manifest');
    expect(written.output).toMatch(/1 of the workspace's \d+ packages are taken from it/);
    const taken = await kiln(tree, 'rpm', 'alone');
    expect(taken.status, taken.output).toBe(0);
    expect(taken.built).toContain('rpm:alone/alone');
    expect(readFileSync(join(tree.root, RPM))).toEqual(built);
    expect(existsSync(join(tree.root, 'dist/srpms/alone-1.0-1.kl1.src.rpm'))).toBe(false);

    const spec = 'SPECS/alone/alone.spec';
    edit(tree, spec, (text) => `${text}- And a word more\n`);
    const edited = await kiln(tree, 'rpm', 'alone');
    expect(edited.status).toBe(1);
    expect(edited.output).toContain(
      `${spec}:1: error TOOLCHAIN_MEMBER_CHANGED: alone/alone is part of the toolchain, which has it as alone-1.0-1.kl1.src.rpm; its spec, sources or settings are others now`,
    );
    edit(tree, spec, (text) => text.replace(/^Release:.*/m, 'Release: 2%{?dist}'));
    expect((await kiln(tree, 'rpm', 'alone')).output).toContain('its spec is alone-1.0-2.kl1.src.rpm now');
    // The toolchain is made again, and what is older than the spec isn't taken.
    expect((await kiln(tree, 'toolchain-manifest')).output).toMatch(
      /0 of the workspace's \d+ packages are taken from it/,
    );
    const anew = await kiln(tree, 'rpm', 'alone');
    expect(anew.status, anew.output).toBe(0);
    expect(existsSync(join(tree.root, RPM.replace('-1.kl1', '-2.kl1')))).toBe(true);
  },
);

test('a flipped byte on the server is one clear error, and nothing is built', { timeout: 5 * MINUTES }, async () => {
  const file = join(directory, 'served/small-base-2-1.noarch.rpm');
  const kept = join(directory, 'kept.rpm');
  copyFileSync(file, kept);
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(file, bytes);
  const other = { ...tree, store: join(directory, 'other-store') };
  const { status, output, built } = await kiln(other, 'rpm', 'alone');
  copyFileSync(kept, file);
  expect(status).toBe(1);
  expect(output).toMatch(/TOOLCHAIN_RPM_CHANGED: small-base-2-1\.noarch of the toolchain is another file/);
  expect(output).toMatch(new RegExp(`${MANIFEST}:\\d+`));
  expect(built).toEqual([]);
  expect(existsSync(join(other.store, 'layers'))).toBe(false);
});
