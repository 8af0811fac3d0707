/** A spec in the workspace: read when somebody wants to know what it says. */
import { hash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import type { SpecText } from './evaluate-package.ts';
import { encodingProblem } from './spec-encoding.ts';

/**
 * Milliseconds. A file that was changed since then could be changed once more without another stamp; as git's index, which doesn't trust
 * "racily clean" entries.
 */
const SETTLING_TIME = 2000;

export class SpecOnDisk implements SpecText {
  readonly specRoot: string;
  readonly specFile: string;
  /**
   * Another one after each change of the file: inode, size, and time of change, which no program can set. Empty when the file has been
   * changed too lately to tell.
   */
  readonly stamp: string;
  readonly #path: string;
  #bytes: Buffer | undefined;
  #digest: string | undefined;

  /** `now` in milliseconds since the epoch. */
  constructor(root: string, { specRoot, specFile }: Omit<SpecText, 'specText'>, now: number) {
    this.specRoot = specRoot;
    this.specFile = specFile;
    this.#path = join(root, specFile);
    const { ino, size, ctimeMs } = lstatSync(this.#path);
    this.stamp = ctimeMs < now - SETTLING_TIME ? `${ino} ${size} ${ctimeMs}` : '';
  }

  /** SHA-256 of its bytes. */
  get digest(): string {
    return (this.#digest ??= hash('sha256', this.bytes));
  }

  /** Whether it is what was known under this stamp and digest. It isn't read when the stamp says so. */
  is(known: { readonly specStamp: string; readonly specDigest: string }): boolean {
    if (this.stamp !== '' && this.stamp === known.specStamp) this.#digest = known.specDigest;
    return this.digest === known.specDigest;
  }

  /** @throws BuildError `SPEC_CHANGED` when it is no more what the digest says. */
  get bytes(): Buffer {
    if (this.#bytes !== undefined) return this.#bytes;
    const bytes = readFileSync(this.#path);
    if (this.#digest !== undefined && hash('sha256', bytes) !== this.#digest) {
      throw new BuildError('SPEC_CHANGED', `${this.specFile} was changed while the tree was read`, {
        location: { file: this.specFile, line: 1 },
        hint: 'run the same command again',
      });
    }
    return (this.#bytes = bytes);
  }

  get specText(): string {
    return this.bytes.toString('utf8');
  }

  get encodingProblem(): Diagnostic | undefined {
    return encodingProblem(this.specFile, this.bytes);
  }
}
