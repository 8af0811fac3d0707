import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost, type Host } from '@kiln/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artifactDigest, withSigner, type SigningKey } from '../src/index.ts';

const original = join(import.meta.dirname, 'fixtures', 'minimal-1-1.noarch.rpm');
const hasTools = ['gpg', 'rpmsign', 'rpmkeys'].every((tool) => spawnSync(tool, ['--version']).status === 0);
const TIME = 1_700_000_000;
const PASSPHRASE = 'correct horse';

let top = '';
let keys: Record<'rsa' | 'ed25519', { readonly key: SigningKey; readonly secret: string }>;

/** A key that is made for this test, long ago by its own account. */
function makeKey(algorithm: string, passphrase: string): { readonly key: SigningKey; readonly secret: string } {
  const home = join(top, `home-${algorithm}`);
  mkdirSync(home, { mode: 0o700 });
  const gpg = (...args: string[]) =>
    execFileSync(
      'gpg',
      ['--batch', '--homedir', home, '--pinentry-mode', 'loopback', '--passphrase', passphrase, ...args],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
  gpg(
    '--faked-system-time',
    '1600000000!',
    '--quick-generate-key',
    `Test ${algorithm} <test@kiln.example>`,
    algorithm,
    'sign',
    'never',
  );
  const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(gpg('--with-colons', '--list-keys'))![1]!;
  const publicKeyFile = join(top, `${algorithm}.asc`);
  writeFileSync(publicKeyFile, gpg('--armor', '--export', fingerprint));
  const secret = gpg('--armor', '--export-secret-keys', fingerprint);
  execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  return { key: { fingerprint, publicKeyFile }, secret };
}

const hostWith = (more: Record<string, string>): Host => ({
  ...createHost(),
  environment: { PATH: process.env['PATH'], HOME: join(top, 'nobody'), ...more },
});

const copy = (name: string) => {
  const path = join(top, name);
  copyFileSync(original, path);
  return path;
};

/** What real rpm says of a file when it knows these keys. */
function checksig(path: string, publicKeys: readonly string[]): string {
  const database = mkdtempSync(join(top, 'rpmdb-'));
  for (const key of publicKeys) execFileSync('rpmkeys', ['--dbpath', database, '--import', key]);
  const { stdout } = spawnSync('rpmkeys', ['--dbpath', database, '--checksig', '--verbose', path], {
    encoding: 'utf8',
  });
  return stdout;
}

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('kiln-sign-'));

describe.skipIf(!hasTools)('a signer', () => {
  beforeAll(() => {
    top = mkdtempSync(join(tmpdir(), 'kiln-signer-'));
    keys = { rsa: makeKey('rsa3072', ''), ed25519: makeKey('ed25519', PASSPHRASE) };
  });
  afterAll(() => rmSync(top, { recursive: true, force: true }));

  it.each(['rsa', 'ed25519'] as const)('signs RPMs so that rpm accepts them, with a key of %s', async (algorithm) => {
    const { key, secret } = keys[algorithm];
    const before = leftovers();
    const host = hostWith({ KILN_SIGNING_KEY: secret, KILN_SIGNING_PASSPHRASE: algorithm === 'rsa' ? '' : PASSPHRASE });
    const [one, two] = [copy(`${algorithm}-1.rpm`), copy(`${algorithm}-2.rpm`)];
    await withSigner(host, key, async (signer) => {
      await signer.signRpm(one, TIME);
      await signer.signRpm(two, TIME);
    });
    const id = key.fingerprint.slice(-16).toLowerCase();
    expect(checksig(one, [key.publicKeyFile])).toMatch(new RegExp(`Header V4 .*Signature, key ID ${id.slice(-8)}: OK`));
    expect(checksig(one, [])).toMatch(/NOKEY/);
    expect(checksig(original, [key.publicKeyFile])).not.toMatch(/Signature/);
    expect(readFileSync(one).equals(readFileSync(original))).toBe(false);
    // The identity of a build doesn't know of signatures, and the same signature is made again.
    expect(await artifactDigest(one)).toBe(await artifactDigest(original));
    expect(readFileSync(two).equals(readFileSync(one))).toBe(true);
    expect(leftovers()).toEqual(before);
  });

  it('makes a detached signature that gpg accepts', async () => {
    const { key, secret } = keys.rsa;
    const path = join(top, 'repomd.xml');
    writeFileSync(path, '<repomd/>');
    await withSigner(hostWith({ KILN_SIGNING_KEY: secret }), key, (signer) => signer.signFile(path, TIME));
    const home = mkdtempSync(join(top, 'verify-'));
    execFileSync('gpg', ['--homedir', home, '--quiet', '--import', key.publicKeyFile], { stdio: 'ignore' });
    const verify = () => spawnSync('gpg', ['--homedir', home, '--verify', `${path}.asc`, path]).status;
    expect(verify()).toBe(0);
    writeFileSync(path, '<repomd />');
    expect(verify()).not.toBe(0);
  });

  it('is refused when the key is another one or not there, without a word of the secret', async () => {
    const { rsa, ed25519 } = keys;
    const use = () => Promise.reject(new Error('not reached'));
    const wrong = { ...rsa.key, publicKeyFile: ed25519.key.publicKeyFile };
    await expect(withSigner(hostWith({ KILN_SIGNING_KEY: rsa.secret }), wrong, use)).rejects.toMatchObject({
      code: 'SIGNING_KEY_INVALID',
      message: expect.stringContaining(ed25519.key.fingerprint),
    });
    await expect(withSigner(hostWith({}), rsa.key, use)).rejects.toMatchObject({ code: 'SIGNING_KEY_MISSING' });
    await expect(withSigner(hostWith({ KILN_SIGNING_KEY: ed25519.secret }), rsa.key, use)).rejects.toMatchObject({
      code: expect.stringMatching(/SIGNING_KEY_(MISSING|INVALID)/),
    });
    const broken = await withSigner(hostWith({ KILN_SIGNING_KEY: 'top secret text' }), rsa.key, use).catch(
      (error: Error) => error,
    );
    expect(broken).toMatchObject({ code: 'SIGNING_KEY_INVALID' });
    expect(JSON.stringify(broken) + broken.message).not.toContain('top secret');
  });

  it('fails with the reason when the passphrase is wrong', async () => {
    const { key, secret } = keys.ed25519;
    const host = hostWith({ KILN_SIGNING_KEY: secret, KILN_SIGNING_PASSPHRASE: 'wrong' });
    const path = copy('wrong.rpm');
    await expect(withSigner(host, key, (signer) => signer.signRpm(path, TIME))).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
    });
  });
});
