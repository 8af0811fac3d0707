/** SHA-256 digests as lower-case hexadecimal text. */
import { createHash } from 'node:crypto';
import { BuildError } from '@kiln/diagnostics';
import { canonicalJson } from './canonical-json.ts';

declare const sha256Brand: unique symbol;

/** 64 lower-case hexadecimal digits. */
export type Sha256 = string & { readonly [sha256Brand]: true };

/** Digest of bytes, or of a text's UTF-8. */
export function sha256(content: string | Uint8Array): Sha256 {
  return createHash('sha256').update(content).digest('hex') as Sha256;
}

/** Digest of a value's canonical JSON. */
export function digestOf(value: unknown): Sha256 {
  return sha256(canonicalJson(value));
}

/** @throws BuildError `DIGEST_MALFORMED` when the text isn't 64 lower-case hexadecimal digits. */
export function parseSha256(text: string): Sha256 {
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new BuildError('DIGEST_MALFORMED', `'${text}' is not a SHA-256 digest (64 lower-case hexadecimal digits)`);
  }
  return text as Sha256;
}
