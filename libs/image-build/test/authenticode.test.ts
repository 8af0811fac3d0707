/** Signatures of programs for UEFI, made by sbsign and judged by sbverify too. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import { runSandboxed } from '@kiln/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticodeProblem, isSignedProgram } from '../src/authenticode.ts';
import { secureBootProblems } from '../src/verify-secure-boot.ts';
import { imageToolsRoot } from './image-tools.ts';
import { minimalProgram } from './minimal-program.ts';
import { removeTemporaryDirectories, temporaryDirectory } from './tool-root.ts';

const host = createHost({});
let directory: string;
let layer: string;

const read = (name: string) => readFileSync(join(directory, name));
const certificate = (name: string) => new X509Certificate(read(`${name}.pem`));

function makeKey(name: string): void {
  const files = ['-keyout', join(directory, `${name}.key`), '-out', join(directory, `${name}.pem`)];
  const words = ['req', '-new', '-x509', '-newkey', 'rsa:2048', '-noenc', '-days', '36500', '-subj', `/CN=${name}`];
  execFileSync('openssl', [...words, ...files], { stdio: 'ignore' });
  chmodSync(join(directory, `${name}.key`), 0o644);
}

/** Runs a script of the image tools in the directory of the keys; gives what it printed. */
async function tools(script: string): Promise<string> {
  const { status, stdout, stderr } = await runSandboxed(host, {
    argv: ['bash', '-c', `set -euo pipefail; cd /keys; ${script}`],
    layers: [layer],
    identity: 'root',
    mounts: [{ source: directory, target: '/keys', writable: true }],
    environment: { PATH: '/usr/bin:/usr/sbin', HOME: '/tmp', LC_ALL: 'C.UTF-8' },
  });
  expect(status, stdout + stderr).toBe(0);
  return stdout;
}

beforeAll(async () => {
  layer = await imageToolsRoot(host);
  directory = temporaryDirectory('authenticode');
  chmodSync(directory, 0o777);
  makeKey('own');
  makeKey('other');
  writeFileSync(join(directory, 'plain.efi'), minimalProgram());
  await tools(`
    sbsign --key own.key --cert own.pem --output signed.efi plain.efi
    sbsign --key other.key --cert other.pem --output twice.efi signed.efi
    chmod 644 signed.efi twice.efi`);
}, 60_000);
afterAll(removeTemporaryDirectories);

describe('authenticodeProblem', () => {
  it('accepts what sbsign has signed, once and twice', () => {
    expect(authenticodeProblem(read('signed.efi'), certificate('own'))).toBeUndefined();
    expect(authenticodeProblem(read('twice.efi'), certificate('own'))).toBeUndefined();
    expect(authenticodeProblem(read('twice.efi'), certificate('other'))).toBeUndefined();
    expect([isSignedProgram(read('signed.efi')), isSignedProgram(read('plain.efi'))]).toEqual([true, false]);
  });

  it('tells what is wrong', () => {
    const [signed, own] = [read('signed.efi'), certificate('own')];
    expect(authenticodeProblem(signed, certificate('other'))).toBe(
      'the key of the certificate (CN=other) did not sign it',
    );
    expect(authenticodeProblem(read('plain.efi'), own)).toBe('it is not signed');
    expect(authenticodeProblem(changed(signed, 0x400), own)).toBe('it was changed after it was signed');
    expect(authenticodeProblem(signed.subarray(0, -8), own)).toBe('it is no program for UEFI');
    expect(authenticodeProblem(Buffer.concat([signed, Buffer.alloc(8)]), own)).toBe('it is no program for UEFI');
    expect(authenticodeProblem(Buffer.from('MZ'), own)).toBe('it is no program for UEFI');
    // The kind of the signature's content, then what it says of the program.
    expect(authenticodeProblem(changed(signed, signed.indexOf(INDIRECT_DATA) + 9), own)).toBe(
      'its signature is none that can be read: PKCS #7 with SHA-256',
    );
    expect(authenticodeProblem(changed(signed, signed.indexOf(INDIRECT_DATA) + 40), own)).toBe(
      'what its signature says of it was changed',
    );
  });

  it('accepts nothing that sbverify refuses, whichever byte was changed', { timeout: 60_000 }, async () => {
    const signed = read('signed.efi');
    const places = Array.from({ length: signed.length }, (_, at) => at).filter(
      (at) => at % (at < 0x200 || at > 0x600 ? 11 : 97) === 0,
    );
    for (const at of places) writeFileSync(join(directory, `changed-${at}`), changed(signed, at));
    const said = await tools(
      'for file in changed-*; do if sbverify --cert own.pem $file > /dev/null 2>&1; then echo "${file#*-}"; fi; done',
    );
    const accepted = new Set(said.split('\n').filter(Boolean).map(Number));
    expect(accepted.size).toBeGreaterThan(0);
    const ours = places.filter((at) => authenticodeProblem(changed(signed, at), certificate('own')) === undefined);
    expect(ours.filter((at) => !accepted.has(at))).toEqual([]);
  });
});

describe('secureBootProblems', () => {
  /** A directory with these files: names of those above by their names there. */
  async function problems(files: Readonly<Record<string, string>>) {
    const image = temporaryDirectory('image');
    for (const [name, source] of Object.entries(files)) copyFileSync(join(directory, source), join(image, name));
    return secureBootProblems(image, Object.keys(files));
  }

  it('accepts what the one certificate has signed', async () => {
    expect(await problems({ 'SECURE-BOOT-test.pem': 'own.pem', 'a.efi': 'signed.efi', b: 'plain.efi' })).toEqual([]);
  });

  it('tells what is not signed, or by somebody else', async () => {
    const found = await problems({ 'SECURE-BOOT-test.pem': 'other.pem', 'a.efi': 'signed.efi', 'b.efi': 'plain.efi' });
    expect(found).toEqual(['a.efi: the key of the certificate (CN=other) did not sign it', 'b.efi: it is not signed']);
    expect(await problems({ 'a.efi': 'signed.efi' })).toEqual(['a.efi is signed, and no certificate is listed']);
  });

  it('needs one certificate, and something to look at', async () => {
    const certificates = { 'SECURE-BOOT-a.pem': 'own.pem', 'SECURE-BOOT-b.pem': 'own.pem' };
    expect(await problems(certificates)).toEqual([
      'there are several certificates: SECURE-BOOT-a.pem, SECURE-BOOT-b.pem',
    ]);
    const none = 'SECURE-BOOT-a.pem is not one certificate in PEM';
    expect(await problems({ 'SECURE-BOOT-a.pem': 'plain.efi', 'a.efi': 'signed.efi' })).toEqual([none]);
    writeFileSync(join(directory, 'two.pem'), Buffer.concat([read('own.pem'), read('own.pem')]));
    expect(await problems({ 'SECURE-BOOT-a.pem': 'two.pem', 'a.efi': 'signed.efi' })).toEqual([none]);
    expect(await problems({ 'SECURE-BOOT-a.pem': 'own.pem', 'a.raw': 'signed.efi' })).toMatchObject({
      skipped: expect.stringContaining('those in disks are not looked at') as string,
    });
    expect(await problems({ 'a.efi': 'plain.efi' })).toMatchObject({
      skipped: 'the image does not say that it is signed: it has no certificate',
    });
  });
});

/** 1.3.6.1.4.1.311.2.1.4 */
const INDIRECT_DATA = Buffer.from('060a2b060104018237020104', 'hex');

function changed(file: Buffer, at: number): Buffer {
  const copy = Buffer.from(file);
  copy[at]! ^= 0x55;
  return copy;
}
