/** The key that publications are signed with. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { DistroConfig } from './distro-config.ts';
import type { Session } from './session.ts';

export interface Signing {
  readonly fingerprint: string;
  readonly publicKeyFile: string;
  /** Its text. */
  readonly publicKey: string;
}

/** @throws BuildError `SIGNING_NOT_CONFIGURED`, `SIGNING_KEY_INVALID`. */
export async function signingOf({ distribution: { config, root } }: Session): Promise<Signing> {
  const { key, publicKey } = requireSigning(config);
  const publicKeyFile = join(root, publicKey);
  const text = await readFile(publicKeyFile, 'utf8').catch((cause: unknown) => {
    throw new BuildError('SIGNING_KEY_INVALID', `the public key ${publicKey} can't be read`, {
      hint: `write it: gpg --armor --export ${key} > ${publicKey}`,
      cause,
    });
  });
  return { fingerprint: key, publicKeyFile, publicKey: text };
}

function requireSigning({ signing }: DistroConfig): NonNullable<DistroConfig['signing']> {
  if (signing !== undefined) return signing;
  throw new BuildError('SIGNING_NOT_CONFIGURED', 'toolkit/distro.json names no key to sign with', {
    hint: 'add "signing": { "key": "<fingerprint>", "publicKey": "<file in the workspace>" }',
  });
}
