import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { afterAll, describe, expect, it } from 'vitest';
import { artifactDigest, parseRpmHeader, verifyRpm } from '../src/index.ts';
import { hasRpm } from './rpm-oracle.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const rpms = readdirSync(fixtures).filter((name) => name.endsWith('.rpm'));
const everything = readFileSync(join(fixtures, 'everything-1.2~rc1-4.x86_64.rpm'));
const { layout } = parseRpmHeader(everything, 'everything').package;
const directory = mkdtempSync(join(tmpdir(), 'verify-rpm-'));
afterAll(() => rmSync(directory, { recursive: true }));

function rpmAccepts(path: string): boolean {
  return spawnSync('rpm', ['-K', '--nosignature', path]).status === 0;
}

async function problem(path: string): Promise<string> {
  const error: unknown = await verifyRpm(path).then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  );
  if (error instanceof BuildError) return error.code;
  throw error;
}

describe('verifyRpm', () => {
  it.each(rpms)('accepts %s and gives its digests', async (name) => {
    const path = join(fixtures, name);
    const { artifactDigest: artifact, fileDigest, size, header } = await verifyRpm(path);
    const bytes = readFileSync(path);
    expect(fileDigest).toBe(sha256(bytes));
    expect(size).toBe(bytes.length);
    expect(artifact).toBe(sha256(bytes.subarray(header.package.layout.headerOffset)));
    expect(await artifactDigest(path)).toBe(artifact);
  });

  const text = Buffer.from('Every kind of entry');
  const tampered: [string, number][] = [
    ['the stated digest', everything.indexOf(Buffer.from(parseRpmHeader(everything, 'x').package.headerDigest))],
    ['a text of the header', everything.indexOf(text)],
    ['the first byte of the payload', layout.payloadOffset],
    ['the last byte of the payload', everything.length - 1],
  ];
  it.each(tampered)('refuses another byte in %s', async (_, offset) => {
    const path = join(directory, 'tampered.rpm');
    const bytes = Uint8Array.from(everything);
    bytes[offset]! ^= 1;
    writeFileSync(path, bytes);
    expect(offset).toBeGreaterThan(0);
    expect(await problem(path)).toBe('RPM_DIGEST_MISMATCH');
    if (hasRpm()) expect(rpmAccepts(path)).toBe(false);
  });

  it('refuses a file that was cut or has more', async () => {
    const path = join(directory, 'size.rpm');
    writeFileSync(path, everything.subarray(0, everything.length - 1));
    expect(await problem(path)).toBe('RPM_DIGEST_MISMATCH');
    writeFileSync(path, Buffer.concat([everything, Buffer.from('x')]));
    expect(await problem(path)).toBe('RPM_DIGEST_MISMATCH');
  });

  it('refuses a file that states no digest of its header', async () => {
    const path = join(directory, 'unprotected.rpm');
    const bytes = Buffer.from(everything);
    // The tag number of SHA-256 in the signature header's index becomes one that nobody knows.
    const entry = bytes.indexOf(Buffer.from([0, 0, 0x01, 0x11]), 96);
    bytes.writeUInt32BE(0x113, entry);
    writeFileSync(path, bytes);
    expect(await problem(path)).toBe('RPM_DIGEST_MISSING');
  });
});
