import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseRpmHeader, verifyRpm, withSigner, withVerifier, type SigningKey } from '../src/index.ts';
import { makeKey, type TestKey } from './signing-key.ts';

const original = join(import.meta.dirname, 'fixtures', 'minimal-1-1.noarch.rpm');
let top: string;
let own: TestKey;
let other: TestKey;

async function signedCopy(name: string, key: TestKey): Promise<string> {
  const path = join(top, name);
  copyFileSync(original, path);
  const host = { ...createHost(), environment: { PATH: process.env['PATH'], KILN_SIGNING_KEY: key.secret } };
  await withSigner(host, key, async (signer) => {
    await signer.signRpm(path, 1_700_000_000);
    await signer.signFile(path, 1_700_000_000);
  });
  return path;
}

const check = (path: string, keys: readonly SigningKey[] = [own]) =>
  withVerifier(createHost(), keys, (verifier) => verifier.checkRpm(path, own.fingerprint, 'the package'));

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'kiln-verifier-'));
  own = makeKey(top, 'own');
  other = makeKey(top, 'other');
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

it('accepts what the key has signed, and neither another key’s signature nor none', async () => {
  await check(await signedCopy('good.rpm', own));
  const foreign = await signedCopy('foreign.rpm', other);
  await expect(check(foreign)).rejects.toMatchObject({
    code: 'SIGNATURE_INVALID',
    message: expect.stringContaining(`another key signed it (${other.fingerprint.slice(-16)})`),
  });
  // A key that is known for another package is not enough.
  await expect(check(foreign, [own, other])).rejects.toThrow(`${other.fingerprint} signed it`);
  await expect(check(original)).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
});

it('notices a flipped bit in the header; one in the payload is noticed by its digest, which is signed', async () => {
  const bytes = readFileSync(await signedCopy('flipped.rpm', own));
  const { headerOffset, headerSize, payloadOffset } = parseRpmHeader(bytes, 'flipped.rpm').package.layout;
  const flip = (at: number) => {
    const path = join(top, `flipped-${at}.rpm`);
    const copy = Buffer.from(bytes);
    copy[at]! ^= 1;
    writeFileSync(path, copy);
    return path;
  };
  // The last text of the header, so that it can be read all the same.
  await expect(check(flip(headerOffset + headerSize - 24))).rejects.toThrow(
    /the content is not what was signed|RPM_MALFORMED/,
  );
  const payload = flip(payloadOffset + 20);
  await check(payload);
  await expect(verifyRpm(payload)).rejects.toMatchObject({ code: 'RPM_DIGEST_MISMATCH' });
});

it('checks files with a detached signature, and that a key is what its fingerprint says', async () => {
  const path = await signedCopy('file', own);
  const checkFile = (keys: readonly SigningKey[]) =>
    withVerifier(createHost(), keys, (verifier) =>
      verifier.checkFile(path, `${path}.asc`, { fingerprint: own.fingerprint }),
    );
  await checkFile([own]);
  writeFileSync(path, 'other');
  await expect(checkFile([own])).rejects.toThrow('the content is not what was signed');
  await expect(checkFile([{ ...own, publicKeyFile: other.publicKeyFile }])).rejects.toMatchObject({
    code: 'SIGNATURE_KEY_INVALID',
    message: expect.stringContaining(other.fingerprint),
  });
});
