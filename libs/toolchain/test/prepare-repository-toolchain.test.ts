import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import { Store } from '@kiln/store';
import {
  composeRpmRoot,
  formatToolchainManifest,
  loadToolchain,
  makeToolchainManifest,
  parseToolchainManifest,
  prepareToolchain,
  toolchainBlobs,
  toolchainLayerKeys,
  type ManifestRepository,
  type PlannedToolchain,
  type Toolchain,
} from '@kiln/toolchain';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeKey, type TestKey } from '../../rpm-repository/test/signing-key.ts';
import { makeRepository, serveDirectory, signFile, type LoopbackServer } from './loopback-repository.ts';
import { makeSmallDistribution } from './small-distribution.ts';
import { host, locked, testStore } from './toolchain-store.ts';

const FIXTURES = join(import.meta.dirname, '../../rpm-repository/test/fixtures');
const FILE = 'toolkit/manifests/small.json';
let top: string;
let key: TestKey;
let server: LoopbackServer;
let store: Store;
let planned: PlannedToolchain;
let toolchain: Toolchain;

async function writeManifest(roots: readonly string[], repository: ManifestRepository): Promise<void> {
  const request = { architecture: 'x86_64', keys: { [key.fingerprint]: 'own.asc' }, repositories: [repository], roots };
  const asked = parseToolchainManifest(JSON.stringify(request), FILE);
  const manifest = await makeToolchainManifest({ host, store, root: top }, asked, FILE);
  mkdirSync(join(top, 'toolkit/manifests'), { recursive: true });
  writeFileSync(join(top, FILE), formatToolchainManifest(manifest));
}

const load = () => loadToolchain(top, { provider: 'repository', manifest: FILE });

beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'kiln-repository-toolchain-'));
  chmodSync(top, 0o755);
  key = makeKey(top, 'own');
  const shared = testStore();
  const debian = await prepareToolchain(host, shared, locked);
  const rpms = await makeSmallDistribution(shared, debian, join(top, 'rpms'));
  await makeRepository(join(top, 'served'), rpms, key);
  server = await serveDirectory(join(top, 'served'));
  mkdirSync(join(top, 'store'));
  store = new Store(host, join(top, 'store'));
  const signed = { rpmKey: key.fingerprint, metadataKey: key.fingerprint };
  await writeManifest(['rpm-build'], { name: 'base', url: server.url, ...signed });
  planned = load();
  toolchain = await prepareToolchain(host, store, planned);
}, 600_000);

afterAll(async () => {
  server.server.close();
  await removeWorkDirectory(host, top);
});

const inLayer = (path: string) => join(toolchain.layer, path);

it('is planned by the manifest alone: what its packages provide', () => {
  expect(planned.package.provides.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['small-tools', 'small-base', 'rpm-build', '/bin/rpmbuild', '/usr/bin/rpmbuild']),
  );
  // One of them asks for a file that only the lists of all files have.
  expect(server.asked.filter((path) => path.includes('filelists'))).toHaveLength(1);
  expect(toolchain.identity).toBe(planned.identity);
  expect(toolchainBlobs(planned).map((digest) => existsSync(store.blobPath(digest)))).toEqual([true, true]);
  expect(toolchainLayerKeys(planned).every((name) => existsSync(join(store.directory, 'layers', name)))).toBe(true);
});

it('is made of the packages alone, with what their scriptlets did', () => {
  expect(readFileSync(inLayer('etc/made'), 'utf8')).toBe('made by a scriptlet\n');
  expect(toolchain.rpms.map(({ fileName }) => fileName)).toEqual([
    'small-base-2-1.noarch.rpm',
    'small-tools-2-1.x86_64.rpm',
  ]);
  for (const path of ['usr/bin/gcc', 'usr/bin/cpio', 'kiln-rpmdb', 'dev/null'])
    expect(existsSync(inLayer(path)), path).toBe(false);
  expect(toolchain.rpmVendor).toBe('debian');
  expect(toolchain.ownsHeader('/usr/include/small.h')).toBe(true);
  expect(toolchain.ownsHeader('/usr/include/stdio.h')).toBe(false);
});

it('can be read by the build user, and has a user who builds', () => {
  expect(lstatSync(inLayer('etc/shadow')).mode & 0o777).toBe(0o644);
  expect(lstatSync(inLayer('etc/shadow')).uid).toBe(lstatSync(inLayer('usr/bin/bash')).uid);
  expect(readFileSync(inLayer('etc/passwd'), 'utf8')).toMatch(/^root:.*\nbuilder:x:1000:1000:.*\n$/);
});

it('leaves links of packages alone, which could lead to files of the machine', () => {
  expect(readlinkSync(inLayer('etc/nsswitch.conf'))).toBe('/etc/elsewhere/nsswitch.conf');
  expect(readlinkSync(inLayer('home'))).toBe('/tmp/kiln-test-of-links');
  for (const path of ['/etc/elsewhere', '/tmp/kiln-test-of-links']) expect(existsSync(path), path).toBe(false);
  expect(readFileSync(inLayer('etc/hosts'), 'utf8')).toMatch(/^127\.0\.0\.1 localhost/);
});

it('builds a package in a root of its RPMs, over which lie the RPMs that the package asks for', async () => {
  const hello =
    'Name: hello\nVersion: 1\nRelease: 1\nSummary: Test\nLicense: MIT\nBuildArch: noarch\nBuildRequires: rpm-build, small-base = 2-1\n%description\n%{summary}.\n%install\nmkdir -p %{buildroot}/usr/share/hello\nid -un > %{buildroot}/usr/share/hello/who\n%files\n/usr/share/hello\n';
  const [built, first] = await buildIn([], hello);
  expect(first).toContain('Wrote:');
  // What was built goes into the next root; rpm checks that all belong together.
  const next = hello
    .replace('Name: hello', 'Name: next')
    .replace('rpm-build,', 'hello = 1-1,')
    .replaceAll('/hello', '/next');
  const [, second] = await buildIn([built], next.replace('%install\n', '%install\ncat /usr/share/hello/who\n'));
  expect(second).toContain('\nbuilder\n');
  expect((await buildIn([], next))[1]).toContain('hello = 1-1 is needed by next-1-1.noarch');
});

/** Builds a spec in a root with more RPMs; returns the RPM and what rpmbuild said. */
async function buildIn(rpms: Parameters<typeof composeRpmRoot>[2]['rpms'], spec: string) {
  const root = await composeRpmRoot(host, store, { toolchain, rpms });
  const work = await makeWorkDirectory(host, store, 'build');
  try {
    mkdirSync(join(work, 'rpmdb'), { mode: 0o777 });
    chmodSync(join(work, 'rpmdb'), 0o777);
    copyFileSync(join(root.rpmdb, 'rpmdb.sqlite'), join(work, 'rpmdb/rpmdb.sqlite'));
    chmodSync(join(work, 'rpmdb/rpmdb.sqlite'), 0o666);
    writeFileSync(join(work, 'x.spec'), `%global __os_install_post %{nil}\n${spec}`);
    const defines = ['_topdir /build', '_dbpath /build/rpmdb', '_rpmfilename out.rpm'];
    const { stdout, stderr } = await runSandboxed(host, {
      layers: root.layers,
      mounts: [{ source: work, target: '/build', writable: true }],
      identity: 'builder',
      argv: ['rpmbuild', ...defines.flatMap((one) => ['--define', one]), '-bb', '/build/x.spec'],
      environment: { PATH: '/usr/bin:/usr/sbin', HOME: '/tmp', LC_ALL: 'C.UTF-8' },
    });
    const path = join(work, 'RPMS/out.rpm');
    const blob = existsSync(path) ? await store.putFile(path) : undefined;
    return [{ fileName: 'out.rpm', blob: blob! }, stdout + stderr] as const;
  } finally {
    await removeWorkDirectory(host, work);
  }
}

it('wants a manifest that is signed, where a key is named for it', async () => {
  const signedBy = ({ fingerprint }: TestKey) =>
    loadToolchain(top, {
      provider: 'repository',
      manifest: FILE,
      manifestKey: { key: fingerprint, publicKey: fingerprint === key.fingerprint ? 'own.asc' : 'other.asc' },
    });
  const other = makeKey(top, 'other');
  await expect(prepareToolchain(host, store, signedBy(key))).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
  await signFile(join(top, FILE), key);
  // The signature is no part of what the toolchain is.
  expect((await prepareToolchain(host, store, signedBy(key))).layer).toBe(toolchain.layer);
  await expect(prepareToolchain(host, store, signedBy(other))).rejects.toMatchObject({
    code: 'SIGNATURE_INVALID',
    message: expect.stringContaining(`${FILE} is not signed by ${other.fingerprint}`),
  });
  const read = signedBy(key);
  writeFileSync(join(top, FILE), `${readFileSync(join(top, FILE), 'utf8')}\n`);
  await expect(prepareToolchain(host, store, signedBy(key))).rejects.toThrow('the content is not what was signed');
  await signFile(join(top, FILE), key);
  await expect(prepareToolchain(host, store, read)).rejects.toMatchObject({ code: 'TOOLCHAIN_MANIFEST_CHANGED' });
});

it('is not made of packages without the programs that builds need', async () => {
  await makeRepository(join(top, 'bare'), [join(FIXTURES, 'minimal-1-1.noarch.rpm')]);
  await writeManifest(['minimal'], { name: 'bare', url: 'bare' });
  await expect(prepareToolchain(host, store, load())).rejects.toMatchObject({
    code: 'TOOLCHAIN_UNUSABLE',
    message: expect.stringContaining('no bash, no rpm, no rpmbuild, no find, no mkdir, no rpm2cpio or rpm2archive'),
  });
});

it('is not made where a scriptlet fails', async () => {
  const spec =
    'Name: failing\nVersion: 1\nRelease: 1\nSummary: Test\nLicense: MIT\nBuildArch: noarch\nRequires: rpm-build\n%description\n%{summary}.\n%post\nexit 3\n%files\n';
  const [{ blob }] = await buildIn([], spec);
  copyFileSync(store.blobPath(blob.sha256), join(top, 'rpms/failing.rpm'));
  await writeManifest(['failing'], { name: 'own', url: 'rpms' });
  await expect(prepareToolchain(host, store, load())).rejects.toMatchObject({
    code: 'TOOLCHAIN_INSTALL_FAILED',
    message: expect.stringMatching(/failing-1-1\.noarch.* scriptlet failed, exit status 3/),
  });
});

it('says that a manifest has no packages, or isn’t there', () => {
  const request = { architecture: 'x86_64', repositories: [{ name: 'base', url: 'rpms' }], roots: ['bash'] };
  writeFileSync(join(top, FILE), JSON.stringify(request));
  expect(load).toThrowError(expect.objectContaining({ code: 'TOOLCHAIN_MANIFEST_EMPTY' }));
  rmSync(join(top, FILE));
  expect(load).toThrowError(expect.objectContaining({ code: 'TOOLCHAIN_MANIFEST_MISSING' }));
});
