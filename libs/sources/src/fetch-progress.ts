/** How much of the files that a task waits for has arrived: one line for all of them, in bytes. */
import type { Host, ProgressEvent } from '@kiln/host';

/** The task that a person sees waiting. */
export type FetchingTask = Pick<ProgressEvent, 'action' | 'subject'>;

/** Tells how many bytes of a file have arrived, and of how many, once that is known. */
export type TellBytes = (done: number, total?: number) => void;

export class FetchProgress {
  readonly #host: Host;
  readonly #task: FetchingTask;
  readonly #kind: string;
  readonly #files = new Map<string, { readonly done: number; readonly total: number | undefined }>();

  /** @param kind what several of the files are called */
  constructor(host: Host, task: FetchingTask, kind = 'source files') {
    this.#host = host;
    this.#task = task;
    this.#kind = kind;
  }

  /** A file that is fetched from now on; `total` is its size where that is known before. */
  file(name: string, total?: number): TellBytes {
    if (total !== undefined) this.#tell(name, 0, total);
    return (done, known = total) => this.#tell(name, done, known);
  }

  /** It can't be had from there: it counts no more, until it is asked for elsewhere. */
  forget(name: string): void {
    this.#files.delete(name);
  }

  #tell(name: string, done: number, total: number | undefined): void {
    this.#files.set(name, { done, total });
    const files = [...this.#files.values()];
    const isSized = files.every((one) => one.total !== undefined);
    this.#host.emit({
      type: 'progress',
      ...this.#task,
      message: this.#files.size === 1 ? `fetching ${name}` : `fetching ${this.#files.size} ${this.#kind}`,
      done: sum(files.map((one) => one.done)),
      ...(isSized ? { total: sum(files.map((one) => one.total ?? 0)) } : {}),
      unit: 'bytes',
    });
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
