/** A user who may do nothing but has subordinate ids; the machine need not know him. */
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { shellQuote } from '@kiln/host';
import { REPOSITORY } from './small-tree.ts';

const NAME = 'kiln-somebody';
const UID = 54_321;
const FIRST_ID = 7_000_000;
const ACCOUNT_LINES: Readonly<Record<string, string>> = {
  passwd: `${NAME}:x:${UID}:${UID}::/nonexistent:/bin/sh`,
  group: `${NAME}:x:${UID}:`,
  subuid: `${NAME}:${FIRST_ID}:65536`,
  subgid: `${NAME}:${FIRST_ID}:65536`,
};

const isRoot = process.getuid?.() === 0;

export class UnprivilegedUser {
  readonly #directory: string;

  /** @param directory for the files that tell of him; everybody must be able to enter it. */
  constructor(directory: string) {
    this.#directory = directory;
    for (const place of ['etc', 'home', 'repository']) mkdirSync(join(directory, place), { recursive: true });
    if (!isRoot) return;
    chownSync(join(directory, 'home'), UID, UID);
    for (const [file, line] of Object.entries(ACCOUNT_LINES)) {
      const accounts = readFileSync(join('/etc', file), 'utf8').trimEnd();
      writeFileSync(join(directory, 'etc', file), `${accounts}\n${line}\n`);
    }
  }

  /** This repository where he can read it, whoever may enter the directories above it. */
  get repository(): string {
    return isRoot ? join(this.#directory, 'repository') : REPOSITORY;
  }

  /** Makes a directory with all in it his. */
  own(directory: string): void {
    if (isRoot) execFileSync('chown', ['--recursive', '--no-dereference', `${UID}:${UID}`, directory]);
  }

  /** Removes the place in memory that runs of his left empty. */
  leave(): void {
    if (isRoot) rmSync(`/dev/shm/kiln-${UID}`, { recursive: true, force: true });
  }

  /** The command that runs another one as him. Only root can be somebody else: others run it as they are. */
  command(argv: readonly string[]): string[] {
    if (!isRoot) return [...argv];
    const script = [
      'set -e',
      // Not each file: who changes the machine's accounts renames a new file over the old one, and that ends a mount on it
      // in every namespace (rename(2), since Linux 3.18).
      `cd ${shellQuote([this.#directory])}`,
      'mount -t overlay -o lowerdir=etc:/etc accounts /etc',
      'cd "$OLDPWD"',
      shellQuote(['mount', '--bind', REPOSITORY, this.repository]),
      `export ${shellQuote([`HOME=${join(this.#directory, 'home')}`])}`,
      `exec setpriv --reuid ${UID} --regid ${UID} --clear-groups --inh-caps=-all -- ${shellQuote(argv)}`,
    ];
    return ['unshare', '--mount', 'sh', '-c', script.join('\n')];
  }
}
