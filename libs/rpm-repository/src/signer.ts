/**
 * Signs RPMs and files with an OpenPGP key. The private part is in GnuPG's own home, or in `KILN_SIGNING_KEY` (armored), which is only ever given to gpg,
 * on its standard input, and lives in a directory that nobody else can read, as long as it is needed.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { programRequirement, type Host, type Requirement } from '@kiln/host';

export interface SigningKey {
  /** 40 or 64 upper-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Armored public key, as those who install packages get it. */
  readonly publicKeyFile: string;
}

export interface Signer {
  /** Puts a signature into the RPM, instead of one that is there. Content and header stay what they are. */
  signRpm(path: string, time: number): Promise<void>;
  /** Writes the armored signature of a file to `<path>.asc`. */
  signFile(path: string, time: number): Promise<void>;
}

/** What signing needs of the machine. */
export const signingRequirements: readonly Requirement[] = [
  programRequirement({ program: 'gpg', why: 'signs what is published', debianPackage: 'gnupg' }),
  programRequirement({
    program: 'rpmsign',
    why: 'puts signatures into RPMs',
    debianPackage: 'rpm',
    minimalVersion: '4.14',
  }),
];

/**
 * Gives `use` a signer for the key. Times of signatures are seconds since the epoch, but never before the key was made: with keys whose signatures have no
 * random part (RSA, EdDSA) the same file and time give the same signature.
 * @throws BuildError `SIGNING_KEY_INVALID` when the public key is another one, `SIGNING_KEY_MISSING` when there is no private one,
 * `SIGNING_FAILED`, `PROGRAM_NOT_FOUND`.
 */
export async function withSigner<T>(host: Host, key: SigningKey, use: (signer: Signer) => Promise<T>): Promise<T> {
  // Sockets of gpg's agent have to lie in a short path.
  const scratch = await mkdtemp(join(tmpdir(), 'kiln-sign-'));
  const secret = host.environment['KILN_SIGNING_KEY'];
  const home = secret ? scratch : gpgHome(host);
  const gpg = new Gpg(host, { home, scratch, passphrase: host.environment['KILN_SIGNING_PASSPHRASE'] });
  try {
    await gpg.preparePassphrase();
    if (secret) await gpg.importSecret(secret);
    const created = await gpg.creationTime(key);
    return await use(signerOf(gpg, key, created));
  } finally {
    if (secret) await gpg.endAgent();
    await rm(scratch, { recursive: true, force: true });
  }
}

function signerOf(gpg: Gpg, { fingerprint }: SigningKey, created: number): Signer {
  const at = (time: number) => Math.max(time, created);
  return {
    signRpm: (path, time) => gpg.signRpm(path, { fingerprint, time: at(time) }),
    signFile: (path, time) => gpg.signFile(path, { fingerprint, time: at(time) }),
  };
}

function gpgHome({ environment }: Host): string {
  return environment['GNUPGHOME'] || join(environment['HOME'] ?? '/', '.gnupg');
}

interface GpgPlace {
  readonly home: string;
  /** Of this signer alone; removed at its end. */
  readonly scratch: string;
  readonly passphrase: string | undefined;
}

interface SignatureOptions {
  readonly fingerprint: string;
  readonly time: number;
}

class Gpg {
  readonly #host: Host;
  readonly #place: GpgPlace;

  constructor(host: Host, place: GpgPlace) {
    this.#host = host;
    this.#place = place;
  }

  async preparePassphrase(): Promise<void> {
    const { passphrase } = this.#place;
    if (passphrase !== undefined) await writeFile(this.#passphraseFile, passphrase, { mode: 0o600 });
  }

  async importSecret(secret: string): Promise<void> {
    const { status } = await this.#gpg(['--import'], secret);
    // What gpg says of a key that it can't read may have parts of it.
    if (status !== 0) {
      throw new BuildError('SIGNING_KEY_INVALID', 'gpg does not accept the private key in KILN_SIGNING_KEY', {
        hint: 'it is what `gpg --armor --export-secret-keys <fingerprint>` prints; KILN_SIGNING_PASSPHRASE has its passphrase, if there is one',
      });
    }
  }

  /** Seconds since the epoch. Checks that both parts of the key are what the configuration says. */
  async creationTime({ fingerprint, publicKeyFile }: SigningKey): Promise<number> {
    const text = await readFile(publicKeyFile, 'utf8').catch((cause: unknown) => {
      throw new BuildError('SIGNING_KEY_INVALID', `the public key ${publicKeyFile} can't be read`, { cause });
    });
    const shown = await this.#gpg(['--homedir', this.#place.scratch, '--with-colons', '--show-keys'], text);
    const lines = shown.stdout.split('\n').map((line) => line.split(':'));
    const found = lines.find(([kind]) => kind === 'fpr')?.[9];
    if (found !== fingerprint) {
      throw new BuildError(
        'SIGNING_KEY_INVALID',
        `${publicKeyFile} has the key ${found ?? '(none)'}, not ${fingerprint}`,
        {
          hint: `export it: gpg --armor --export ${fingerprint}`,
        },
      );
    }
    const secret = await this.#gpg(['--with-colons', '--list-secret-keys', fingerprint]);
    if (secret.status !== 0) {
      throw new BuildError('SIGNING_KEY_MISSING', `there is no private key ${fingerprint} in ${this.#place.home}`, {
        hint: 'import it into GnuPG, let GNUPGHOME name its home, or put it into KILN_SIGNING_KEY',
      });
    }
    // The youngest subkey may be the one that signs.
    const times = secret.stdout.split('\n').map((line) => line.split(':'));
    return Math.max(...times.filter(([kind]) => kind === 'sec' || kind === 'ssb').map((fields) => Number(fields[5])));
  }

  async signRpm(path: string, options: SignatureOptions): Promise<void> {
    const { home, scratch } = this.#place;
    const define = (name: string, value: string) => ['--define', `${name} ${value}`];
    const argv = [
      'rpmsign',
      ...define('_gpg_name', options.fingerprint),
      ...define('_gpg_path', home),
      ...define('__gpg', await this.#program()),
      ...define('_gpg_digest_algo', 'sha256'),
      ...define('_gpg_sign_cmd_extra_args', this.#options(options).join(' ')),
      '--addsign',
      path,
    ];
    // The macros of the user's home could say otherwise.
    await this.#run(argv as [string, ...string[]], { HOME: scratch });
  }

  async signFile(path: string, options: SignatureOptions): Promise<void> {
    const target = ['--local-user', `${options.fingerprint}`, '--digest-algo', 'sha256', '--output', `${path}.asc`];
    await this.#run([
      'gpg',
      '--batch',
      '--yes',
      ...this.#options(options),
      '--armor',
      ...target,
      '--detach-sign',
      path,
    ]);
  }

  /** rpm wants a path, and each system's rpm has its own. */
  async #program(): Promise<string> {
    const { status, stdout } = await this.#host.run({
      argv: ['sh', '-c', 'command -v gpg'],
      environment: this.#environment(),
    });
    if (status === 0) return stdout.trim();
    throw new BuildError('PROGRAM_NOT_FOUND', "the program 'gpg' is not installed or not in PATH", {
      hint: 'install the package that has it (Debian: gnupg)',
    });
  }

  /** An agent that was started for the private directory. */
  async endAgent(): Promise<void> {
    await this.#host.run({ argv: ['gpgconf', '--homedir', this.#place.home, '--kill', 'all'] }).catch(() => undefined);
  }

  #options({ time }: SignatureOptions): string[] {
    const { passphrase } = this.#place;
    const secret = ['--pinentry-mode', 'loopback', '--passphrase-file', this.#passphraseFile];
    return ['--faked-system-time', `${time}!`, ...(passphrase === undefined ? [] : secret)];
  }

  get #passphraseFile(): string {
    return join(this.#place.scratch, 'passphrase');
  }

  #gpg(args: readonly string[], input?: string) {
    return this.#host.run({
      argv: ['gpg', '--batch', '--quiet', ...args],
      environment: this.#environment(),
      ...(input === undefined ? {} : { input }),
    });
  }

  async #run(argv: readonly [string, ...string[]], more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { status, stdout, stderr } = await this.#host.run({ argv, environment: { ...this.#environment(), ...more } });
    if (status === 0) return;
    throw new BuildError('SIGNING_FAILED', `${argv[0]} ended with status ${status}: ${(stderr || stdout).trim()}`, {
      hint: 'a key with a passphrase needs KILN_SIGNING_PASSPHRASE, or an agent that knows it',
    });
  }

  /** The key is in none of the programs' environments. */
  #environment(): Record<string, string> {
    const { environment } = this.#host;
    const kept = ['PATH', 'HOME', 'GPG_TTY', 'GPG_AGENT_INFO'].flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    return { ...Object.fromEntries(kept), LC_ALL: 'C.UTF-8', GNUPGHOME: this.#place.home };
  }
}
