/** The file that takes a program's output. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { BuildError } from '@kiln/diagnostics';

type Source = Pick<NodeJS.ReadableStream, 'pause' | 'resume'>;

/** A log that holds its writers up while the disk is slower than they are, and ends the program when it can't be written. */
export class LogFile {
  readonly #path: string;
  readonly #stream: WriteStream;
  readonly #held = new Set<Source>();
  #error: Error | undefined;

  constructor(path: string, kill: () => void) {
    this.#path = path;
    this.#stream = createWriteStream(path, { flags: 'a' });
    this.#stream.on('drain', () => this.#release());
    this.#stream.on('error', (error) => {
      this.#error = error;
      this.#release();
      kill();
    });
  }

  write(chunk: string, source: Source): void {
    if (this.#error !== undefined || this.#stream.write(chunk)) return;
    source.pause();
    this.#held.add(source);
  }

  /** @throws BuildError `LOG_UNWRITABLE`. */
  async end(): Promise<void> {
    if (!this.#stream.closed) {
      const closed = new Promise<void>((resolve) => this.#stream.once('close', () => resolve()));
      this.#stream.end();
      await closed;
    }
    if (this.#error === undefined) return;
    throw new BuildError('LOG_UNWRITABLE', `the log ${this.#path} can't be written: ${this.#error.message}`, {
      hint: 'free some space on its disk, then run the same command again',
      cause: this.#error,
    });
  }

  #release(): void {
    for (const source of this.#held) source.resume();
    this.#held.clear();
  }
}
