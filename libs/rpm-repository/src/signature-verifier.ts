/** Checks OpenPGP signatures of RPMs and files against named keys. gpg does it, in a home of its own that has these keys and no others. */
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { programRequirement, type Host, type Requirement } from '@kiln/host';
import { readRpmHeader } from './rpm-header.ts';
import { RPM_SIGNATURE_TAG } from './rpm-tag.ts';
import type { SigningKey } from './signer.ts';

export interface SignatureVerifier {
  /**
   * The signature of an RPM's header, which names the digest of the payload: `verifyRpm` checks that. `what` names the file for people.
   * @throws BuildError `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `RPM_MALFORMED`
   */
  checkRpm(path: string, fingerprint: string, what?: string): Promise<void>;
  /** A detached signature, armored or not. @throws BuildError `SIGNATURE_INVALID` */
  checkFile(path: string, signaturePath: string, options: { fingerprint: string; what?: string }): Promise<void>;
}

/** What it needs of the machine. */
export const verifyingRequirements: readonly Requirement[] = [
  programRequirement({ program: 'gpg', why: 'checks signatures of downloaded packages', debianPackage: 'gnupg' }),
];

/**
 * Gives `use` a verifier that knows these keys.
 * @throws BuildError `SIGNATURE_KEY_INVALID` when a file has another key than its fingerprint says, `PROGRAM_NOT_FOUND`.
 */
export async function withVerifier<T>(
  host: Host,
  keys: readonly SigningKey[],
  use: (verifier: SignatureVerifier) => Promise<T>,
): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'kiln-verify-'));
  try {
    for (const key of keys) await importKey(host, home, key);
    return await use({
      checkRpm: (path, fingerprint, what = path) => checkRpm(host, home, { path, fingerprint, what }),
      checkFile: (path, signaturePath, { fingerprint, what = path }) =>
        verify(host, home, { path, signaturePath, fingerprint, what }),
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

interface Signed {
  readonly path: string;
  readonly fingerprint: string;
  readonly what: string;
}

async function importKey(host: Host, home: string, { fingerprint, publicKeyFile }: SigningKey): Promise<void> {
  const text = await readFile(publicKeyFile, 'utf8').catch((cause: unknown) => {
    throw keyInvalid(`the public key ${publicKeyFile} can't be read`, cause);
  });
  const shown = await gpg(host, home, ['--with-colons', '--show-keys'], text);
  const lines = shown.stdout.split('\n').map((line) => line.split(':'));
  const primary = lines.flatMap(([kind], at) => (kind === 'pub' ? [lines[at + 1]?.[9] ?? ''] : []));
  if (primary.length !== 1 || primary[0] !== fingerprint) {
    throw keyInvalid(`${publicKeyFile} has the key ${primary.join(', ') || '(none)'}, not ${fingerprint} alone`);
  }
  const { status, stderr } = await gpg(host, home, ['--import'], text);
  if (status !== 0) throw keyInvalid(`gpg does not accept ${publicKeyFile}: ${stderr.trim()}`);
}

async function checkRpm(host: Host, home: string, { path, fingerprint, what }: Signed): Promise<void> {
  const { package: rpm, signatureTags } = await readRpmHeader(path);
  const signature = signatureTags.bytes(RPM_SIGNATURE_TAG.RSA) ?? signatureTags.bytes(RPM_SIGNATURE_TAG.DSA);
  if (signature === undefined) {
    throw new BuildError('SIGNATURE_MISSING', `${what} has no signature; it must be signed by ${fingerprint}`, {
      hint: 'take the package from where it is signed, or name no key for it',
    });
  }
  const place = await mkdtemp(join(home, 'rpm-'));
  const [header, signaturePath] = [join(place, 'header'), join(place, 'header.sig')];
  const bytes = Buffer.alloc(rpm.layout.headerSize);
  const file = await open(path, 'r');
  try {
    await file.read(bytes, 0, bytes.length, rpm.layout.headerOffset);
  } finally {
    await file.close();
  }
  await writeFile(header, bytes);
  await writeFile(signaturePath, signature);
  await verify(host, home, { path: header, signaturePath, fingerprint, what });
}

/** gpg's own status lines decide (doc/DETAILS of GnuPG): a good signature of that key, neither expired nor revoked. */
async function verify(
  host: Host,
  home: string,
  { path, signaturePath, fingerprint, what }: Signed & { readonly signaturePath: string },
): Promise<void> {
  const options = ['--trust-model', 'always', '--no-auto-key-retrieve', '--status-fd', '1', '--verify'];
  const { stdout } = await gpg(host, home, [...options, signaturePath, path]);
  const lines = stdout.split('\n').flatMap((line) => (line.startsWith(STATUS) ? [line.slice(STATUS.length)] : []));
  const has = (word: string) => lines.some((line) => line.startsWith(`${word} `));
  const signers = lines.filter((line) => line.startsWith('VALIDSIG ')).map((line) => line.split(' '));
  // The first field is the key that signed, the last one its primary key.
  if (has('GOODSIG') && signers.length === 1 && [signers[0]![1], signers[0]!.at(-1)].includes(fingerprint)) return;
  throw new BuildError(
    'SIGNATURE_INVALID',
    `${what} is not signed by ${fingerprint}: ${reasonOf(lines, signers[0]?.at(-1))}`,
    {
      hint: 'find out who changed or signed it before you name another key',
    },
  );
}

const STATUS = '[GNUPG:] ';

const REASONS: Readonly<Record<string, string>> = {
  BADSIG: 'the content is not what was signed',
  EXPSIG: 'the signature has expired',
  EXPKEYSIG: 'the key has expired',
  REVKEYSIG: 'the key was revoked',
};

function reasonOf(lines: readonly string[], signer: string | undefined): string {
  const known = lines.map((line) => REASONS[line.split(' ', 1)[0]!]).find((one) => one !== undefined);
  const unknownKey = lines.find((line) => line.startsWith('NO_PUBKEY '))?.slice('NO_PUBKEY '.length);
  if (known !== undefined) return known;
  if (unknownKey !== undefined) return `another key signed it (${unknownKey})`;
  return signer === undefined ? 'there is no signature in it' : `${signer} signed it`;
}

function gpg(host: Host, home: string, args: readonly string[], input?: string) {
  return host.run({
    argv: ['gpg', '--batch', '--quiet', '--no-autostart', '--homedir', home, ...args],
    environment: { PATH: host.environment['PATH'] ?? '/usr/bin:/bin', HOME: home, LC_ALL: 'C.UTF-8' },
    ...(input === undefined ? {} : { input }),
  });
}

function keyInvalid(message: string, cause?: unknown): BuildError {
  return new BuildError('SIGNATURE_KEY_INVALID', message, {
    hint: 'the file has what `gpg --armor --export <fingerprint>` prints',
    cause,
  });
}
