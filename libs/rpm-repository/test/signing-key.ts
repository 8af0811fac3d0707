/** Keys for tests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SigningKey } from '../src/index.ts';

export interface TestKey extends SigningKey {
  /** Armored private key, without a passphrase. */
  readonly secret: string;
}

/** Makes a key below `top`; its public part is `<name>.asc`. */
export function makeKey(top: string, name: string): TestKey {
  const home = join(top, `home-${name}`);
  mkdirSync(home, { mode: 0o700 });
  const gpg = (...args: string[]) =>
    execFileSync('gpg', ['--batch', '--quiet', '--homedir', home, '--passphrase', '', ...args], { encoding: 'utf8' });
  gpg('--quick-generate-key', `${name} <${name}@kiln.example>`, 'ed25519', 'sign', 'never');
  const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(gpg('--with-colons', '--list-keys'))![1]!;
  const publicKeyFile = join(top, `${name}.asc`);
  writeFileSync(publicKeyFile, gpg('--armor', '--export', fingerprint));
  const secret = gpg('--armor', '--export-secret-keys', fingerprint);
  execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  return { fingerprint, publicKeyFile, secret };
}
