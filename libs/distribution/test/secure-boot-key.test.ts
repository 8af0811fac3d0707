import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secureBootCertificate, secureBootPrivateKey } from '../src/secure-boot-key.ts';
import type { Session } from '../src/session.ts';

let root: string;
let key: string;
let certificate: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-secure-boot-'));
  mkdirSync(join(root, 'keys'));
  const files = ['-keyout', join(root, 'key'), '-out', join(root, 'keys/own.pem')];
  const words = ['req', '-new', '-x509', '-newkey', 'rsa:2048', '-noenc', '-subj', '/CN=Test', ...files];
  execFileSync('openssl', words, { stdio: 'ignore' });
  [key, certificate] = ['key', 'keys/own.pem'].map((name) => readFileSync(join(root, name), 'utf8')) as [
    string,
    string,
  ];
  writeFileSync(join(root, 'keys/none.pem'), 'no certificate');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function session(file: string | undefined): Session {
  const config = file === undefined ? {} : { secureBoot: { certificate: file } };
  return { distribution: { root, config } } as unknown as Session;
}

function privateKey(variables: Record<string, string>): string {
  return secureBootPrivateKey({ environment: variables }, 'keys/own.pem', certificate);
}

function failure(work: () => unknown): BuildError {
  try {
    work();
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

describe('the certificate for Secure Boot', () => {
  it('is a file of the workspace', async () => {
    expect(await secureBootCertificate(session('keys/own.pem'))).toBe(certificate);
  });

  it.each([
    [undefined, 'SECURE_BOOT_NOT_CONFIGURED'],
    ['keys/missing.pem', 'SECURE_BOOT_KEY_INVALID'],
    ['keys/none.pem', 'SECURE_BOOT_KEY_INVALID'],
  ])('can not be %s', async (file, code) => {
    await expect(secureBootCertificate(session(file))).rejects.toMatchObject({ code });
  });
});

describe('the private key for Secure Boot', () => {
  it('comes from the environment, with a passphrase or without', () => {
    expect(privateKey({ KILN_SECURE_BOOT_KEY: key })).toContain('BEGIN PRIVATE KEY');
    const locked = execFileSync('openssl', [
      'pkcs8',
      '-topk8',
      '-in',
      join(root, 'key'),
      '-passout',
      'pass:secret',
    ]).toString();
    const both = { KILN_SECURE_BOOT_KEY: locked, KILN_SECURE_BOOT_PASSPHRASE: 'secret' };
    expect(privateKey(both)).toBe(privateKey({ KILN_SECURE_BOOT_KEY: key }));
    const wrong = failure(() => privateKey({ ...both, KILN_SECURE_BOOT_PASSPHRASE: 'other' }));
    expect([wrong.code, wrong.cause]).toEqual(['SECURE_BOOT_KEY_INVALID', undefined]);
  });

  it('is refused when it is missing, another one, or of a kind that firmware does not know', () => {
    expect(failure(() => privateKey({})).code).toBe('SECURE_BOOT_KEY_MISSING');
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    expect(failure(() => privateKey({ KILN_SECURE_BOOT_KEY: other.toString() })).message).toContain('is not that of');
    const curve = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    expect(failure(() => privateKey({ KILN_SECURE_BOOT_KEY: curve.toString() })).message).toContain('of type ed25519');
  });
});
