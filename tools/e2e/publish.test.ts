/** Publication: signed RPMs and metadata that real rpm and gpg accept, one content for each NEVRA, nothing that must stay at home. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { artifactDigest } from '@kiln/rpm-repository';
import { kilnCommand, nx, run, type Ran } from './run-kiln.ts';
import { edit, makeSmallTree, sign, write, type SmallTree } from './small-tree.ts';
import { sharedStore } from './test-store.ts';

const MINUTES = 60_000;
let directory: string;
let tree: SmallTree;
let secret: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-publish-'));
  chmodSync(directory, 0o755);
  tree = makeSmallTree(join(directory, 'tree'), await sharedStore(directory));
  const home = join(directory, 'home');
  mkdirSync(home, { mode: 0o700 });
  const gpg = (...args: string[]) =>
    execFileSync('gpg', ['--batch', '--homedir', home, '--passphrase', '', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  gpg('--quick-generate-key', 'Test <test@kiln.example>', 'rsa2048', 'sign', 'never');
  const key = /^fpr:+([0-9A-F]+):/m.exec(gpg('--with-colons', '--list-keys'))![1]!;
  secret = gpg('--armor', '--export-secret-keys', key);
  write(tree.root, 'toolkit/keys/test.asc', gpg('--armor', '--export', key));
  execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  const signing = { key, publicKey: 'toolkit/keys/test.asc' };
  edit(tree, 'toolkit/distro.json', (text) =>
    JSON.stringify({ ...(JSON.parse(text) as object), signing }, undefined, 2),
  );
}, 30 * MINUTES);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const publish = (): Promise<Ran> => run(tree, kilnCommand('publish'), { KILN_SIGNING_KEY: secret });
const published = () => join(tree.root, 'dist/published/x86_64');
const digestOfFile = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const snapshot = () =>
  Object.fromEntries(
    readdirSync(published(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [join(entry.parentPath, entry.name), digestOfFile(join(entry.parentPath, entry.name))]),
  );

it('signs what was built, and real programs accept it', { timeout: 10 * MINUTES }, async () => {
  const { status, output, built } = await publish();
  expect(status, output).toBe(0);
  expect(built).toContain('publish:kiln');
  expect(output).not.toContain('PRIVATE KEY');

  const key = join(published(), 'RPM-GPG-KEY-kiln');
  const database = mkdtempSync(join(directory, 'rpmdb-'));
  execFileSync('rpmkeys', ['--dbpath', database, '--import', key]);
  const names = readdirSync(join(published(), 'Packages'));
  expect(names.length).toBeGreaterThan(4);
  for (const name of names) {
    const path = join(published(), 'Packages', name);
    const { stdout } = spawnSync('rpmkeys', ['--dbpath', database, '--checksig', path], { encoding: 'utf8' });
    expect(stdout).toMatch(/: digests signatures OK$/m);
    // The RPM as it was built is another file with the same identity.
    const unsigned = join(tree.root, 'dist/rpms/x86_64', name);
    expect(digestOfFile(path)).not.toBe(digestOfFile(unsigned));
    expect(await artifactDigest(path)).toBe(await artifactDigest(unsigned));
  }

  const home = mkdtempSync(join(directory, 'verify-'));
  execFileSync('gpg', ['--homedir', home, '--quiet', '--import', key], { stdio: 'ignore' });
  const repomd = join(published(), 'repodata/repomd.xml');
  expect(spawnSync('gpg', ['--homedir', home, '--verify', `${repomd}.asc`, repomd]).status).toBe(0);
  expect(readFileSync(repomd, 'utf8')).toContain(digestOfFile(join(published(), 'repodata/primary.xml.gz')));
});

it(
  'is not done again, and gives the same bytes when the store is asked or everything is signed anew',
  { timeout: 10 * MINUTES },
  async () => {
    const before = snapshot();
    expect((await publish()).built).toEqual([]);
    rmSync(join(tree.root, 'dist'), { recursive: true });
    const again = await publish();
    expect([again.status, again.built]).toEqual([0, []]);
    expect(snapshot()).toEqual(before);

    // Without the signed RPMs and the publication in the store everything is signed a second time.
    rmSync(join(tree.root, 'dist'), { recursive: true });
    for (const path of Object.keys(before)) {
      const digest = before[path]!;
      rmSync(join(tree.store, 'cas', digest.slice(0, 2), digest), { force: true });
    }
    const anew = await publish();
    expect(anew.status, anew.output).toBe(0);
    expect(anew.built).toContain('publish:kiln');
    expect(snapshot()).toEqual(before);
  },
);

it('is a target of the distribution, only in trees that name a key', { timeout: 10 * MINUTES }, async () => {
  const shown = await nx(tree, 'show', 'project', 'distribution', '--json');
  expect(shown.output).toContain('"publish"');
});

it('signs an image, which those who download it can verify', { timeout: 10 * MINUTES }, async () => {
  const { status, output, built } = await run(tree, kilnCommand('publish-image', 'tiny'), { KILN_SIGNING_KEY: secret });
  expect(status, output).toBe(0);
  expect(built).toContain('publish-image:tiny');
  const image = 'dist/published-images/x86_64/tiny';
  const verify = () => run(tree, kilnCommand('verify', image, '--key', 'toolkit/keys/test.asc'));
  const verified = await verify();
  expect(verified.status, verified.output).toBe(0);
  expect(verified.output.match(/^passed: /gm)).toHaveLength(3);
  chmodSync(join(tree.root, image, 'SHA256SUMS'), 0o644);
  edit(tree, `${image}/SHA256SUMS`, (text) => text.replace(/^./, (digit) => (digit === '0' ? '1' : '0')));
  const refused = await verify();
  expect(refused.status).toBe(1);
  expect(refused.output).toMatch(
    /error VERIFY_FAILED: .*'the list of checksums is signed', 'every file is as it is listed' failed/,
  );
});

it('refuses other content under a published NEVRA until the release is raised', { timeout: 10 * MINUTES }, async () => {
  const ledger = () => readFileSync(join(tree.root, 'toolkit/published/x86_64.json'), 'utf8');
  const before = ledger();
  expect(before).toContain('"alone-1.0-1.kl1.noarch"');
  edit(tree, 'SPECS/alone/alone.c', (text) => `${text}int more;\n`);
  sign(tree, 'alone');
  const refused = await publish();
  expect(refused.status).toBe(1);
  expect(refused.output).toMatch(/error NEVRA_REUSED: 1 packages were published before with other content/);
  expect(refused.output).toMatch(/alone-1\.0-1\.kl1\.noarch was [0-9a-f]{12}… and is now [0-9a-f]{12}…/);
  expect(refused.output).toContain('kiln bump alone/alone -m');
  expect(ledger()).toBe(before);

  const bump = await run(tree, kilnCommand('bump', 'alone', '-m', 'One more', '--author', 'Test <test@kiln.example>'));
  expect(bump.status, bump.output).toBe(0);
  const { status, output } = await publish();
  expect(status, output).toBe(0);
  expect(ledger()).toContain('"alone-1.0-2.kl1.noarch"');
  expect(ledger()).toContain('"alone-1.0-1.kl1.noarch"');
});

it('refuses what was built with the network', { timeout: 10 * MINUTES }, async () => {
  write(tree.root, 'toolkit/packages.json', '{ "alone/alone": { "network": { "reason": "it is only a test" } } }\n');
  const { status, output } = await publish();
  expect(status).toBe(1);
  expect(output).toMatch(/error UNPUBLISHABLE: 1 of the results must not be published/);
  expect(output).toMatch(
    /SPECS\/alone\/alone\.spec:1: error UNPUBLISHABLE: alone\/alone was built with access to the network/,
  );
  rmSync(join(tree.root, 'toolkit/packages.json'));
});

it('refuses a key that nobody has the private part of', { timeout: 10 * MINUTES }, async () => {
  edit(tree, 'SPECS/alone/alone.spec', (text) => text.replace(/^Release:(\s+)\d+/m, 'Release:$1' + '9'));
  const home = mkdtempSync(join(directory, 'empty-'));
  const { status, output } = await run(tree, kilnCommand('publish'), { GNUPGHOME: home });
  expect(status).toBe(1);
  expect(output).toMatch(/error SIGNING_KEY_MISSING: there is no private key [0-9A-F]{40} in /);
});
