/** A spec in the workspace: read when somebody wants to know what it says. */
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256, type Sha256 } from '@kiln/build-identity';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import type { SpecText } from './package-project.ts';
import { encodingProblem } from './spec-encoding.ts';

/**
 * Milliseconds. A file that was changed since then could be changed once more without another stamp; as git's index, which doesn't trust
 * "racily clean" entries.
 */
const SETTLING_TIME = 2000;

export class SpecOnDisk implements SpecText {
  /** Workspace-relative path. */
  readonly file: string;
  readonly #stamp: string;
  readonly #path: string;
  #bytes: Buffer | undefined;
  #digest: Sha256 | undefined;

  /** `now` in milliseconds since the epoch. */
  constructor(root: string, file: string, now: number) {
    this.file = file;
    this.#path = join(root, file);
    const { ino, size, ctimeMs } = lstatSync(this.#path);
    this.#stamp = ctimeMs < now - SETTLING_TIME ? `${ino} ${size} ${ctimeMs}` : '';
  }

  /**
   * Another one after each change of the file: inode, size, and time of change, which no program can set. Empty when the file has been
   * changed too lately to tell.
   */
  get stamp(): string {
    return this.#stamp;
  }

  get digest(): Sha256 {
    return (this.#digest ??= sha256(this.bytes));
  }

  /** Whether it is what was known under this stamp and digest. It isn't read when the stamp says so. */
  is(known: { readonly specStamp: string; readonly specDigest: Sha256 }): boolean {
    if (this.stamp !== '' && this.stamp === known.specStamp) this.#digest = known.specDigest;
    return this.digest === known.specDigest;
  }

  /** @throws BuildError `SPEC_CHANGED` when it is gone, or no more what the digest says. */
  get bytes(): Buffer {
    if (this.#bytes !== undefined) return this.#bytes;
    const bytes = this.#read();
    if (this.#digest !== undefined && sha256(bytes) !== this.#digest) throw this.#changed('changed');
    return (this.#bytes = bytes);
  }

  #read(): Buffer {
    try {
      return readFileSync(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw this.#changed('removed');
      throw error;
    }
  }

  #changed(what: string): BuildError {
    return new BuildError('SPEC_CHANGED', `${this.file} was ${what} after the tree had been read`, {
      location: { file: this.file, line: 1 },
      hint: 'run the same command again',
    });
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }

  get encodingProblem(): Diagnostic | undefined {
    return encodingProblem(this.file, this.bytes);
  }
}
