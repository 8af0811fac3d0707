/** The key that unified kernel images are signed with. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import type { Session } from './session.ts';

/** The certificate's text. @throws BuildError `SECURE_BOOT_NOT_CONFIGURED`, `SECURE_BOOT_KEY_INVALID` */
export async function secureBootCertificate({ distribution: { config, root } }: Session): Promise<string> {
  const file = config.secureBoot?.certificate;
  if (file === undefined) {
    throw new BuildError('SECURE_BOOT_NOT_CONFIGURED', 'toolkit/distro.json names no certificate for Secure Boot', {
      hint: 'add "secureBoot": { "certificate": "<file in the workspace, in PEM>" }',
    });
  }
  const text = await readFile(join(root, file), 'utf8').catch((cause: unknown) => {
    throw new BuildError('SECURE_BOOT_KEY_INVALID', `the certificate ${file} can't be read`, { cause });
  });
  parseCertificate(file, text);
  return text;
}

/**
 * The private key of a certificate, in PEM and without passphrase: from `KILN_SECURE_BOOT_KEY`, with the passphrase in
 * `KILN_SECURE_BOOT_PASSPHRASE`.
 * @throws BuildError `SECURE_BOOT_KEY_MISSING`, `SECURE_BOOT_KEY_INVALID`
 */
export function secureBootPrivateKey(
  { environment }: Pick<Host, 'environment'>,
  file: string,
  certificate: string,
): string {
  const key = environment['KILN_SECURE_BOOT_KEY'];
  if (!key) {
    throw new BuildError('SECURE_BOOT_KEY_MISSING', `there is no private key for the certificate ${file}`, {
      hint: 'put it into KILN_SECURE_BOOT_KEY, in PEM',
    });
  }
  const privateKey = parseKey(key, environment['KILN_SECURE_BOOT_PASSPHRASE']);
  if (privateKey.asymmetricKeyType !== 'rsa')
    throw invalid(
      `the key in KILN_SECURE_BOOT_KEY is of type ${privateKey.asymmetricKeyType}: firmware knows RSA alone`,
    );
  if (!parseCertificate(file, certificate).checkPrivateKey(privateKey))
    throw invalid(`the key in KILN_SECURE_BOOT_KEY is not that of the certificate ${file}`);
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function parseKey(key: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    // What OpenSSL says of it is of no use, and the cause could hold a part of the key.
    throw invalid(
      'the key in KILN_SECURE_BOOT_KEY is no private key in PEM, or KILN_SECURE_BOOT_PASSPHRASE is not its passphrase',
    );
  }
}

function parseCertificate(file: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new BuildError('SECURE_BOOT_KEY_INVALID', `${file} is no certificate in PEM`, { cause });
  }
}

function invalid(message: string): BuildError {
  return new BuildError('SECURE_BOOT_KEY_INVALID', message);
}
