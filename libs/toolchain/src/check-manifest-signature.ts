/** Whether a manifest is signed by the key that the distribution names. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { withVerifier } from '@kiln/rpm-repository';
import { digestFile } from '@kiln/store';
import type { ManifestSignature } from './repository-toolchain.ts';

/**
 * Checks `<manifest>.asc` for the file as it was read.
 * @throws BuildError `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `SIGNATURE_KEY_INVALID`, `TOOLCHAIN_MANIFEST_CHANGED`.
 */
export async function checkManifestSignature(
  host: Host,
  root: string,
  { file, sha256, key, publicKey }: ManifestSignature,
): Promise<void> {
  const path = join(root, file);
  const signaturePath = `${path}.asc`;
  if (!existsSync(signaturePath)) {
    throw new BuildError('SIGNATURE_MISSING', `${file} has no signature; it must be signed by ${key}`, {
      location: { file, line: 1 },
      hint: 'sign it with `kiln toolchain-manifest --sign`',
    });
  }
  await withVerifier(host, [{ fingerprint: key, publicKeyFile: join(root, publicKey) }], (verifier) =>
    verifier.checkFile(path, signaturePath, { fingerprint: key, what: file }),
  ).catch((error: unknown) => {
    throw error instanceof BuildError ? error.at({ file, line: 1 }) : error;
  });
  if ((await digestFile(path)) === sha256) return;
  throw new BuildError('TOOLCHAIN_MANIFEST_CHANGED', `${file} was changed after it was read`, {
    location: { file, line: 1 },
    hint: 'run the same command again',
  });
}
