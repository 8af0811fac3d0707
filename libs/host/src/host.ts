/** The door: everything a stage may use of the machine it runs on. */
import { setMaxListeners } from 'node:events';
import type { EventSink } from './event.ts';
import type { RunRequest, RunResult } from './process.ts';
import { runProcess } from './process.ts';

/** What effectful libraries receive instead of reaching for globals. Files are used through `node:fs` by layers 3 and up. */
export interface Host {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now(): number;
  run(request: RunRequest): Promise<RunResult>;
  readonly emit: EventSink;
  /** Aborts when the user interrupts: long work ends soon and leaves nothing half-written. */
  readonly signal: AbortSignal;
}

export interface HostOptions {
  readonly emit?: EventSink;
  readonly signal?: AbortSignal;
}

/** The real machine. */
export function createHost(options: HostOptions = {}): Host {
  const signal = options.signal ?? new AbortController().signal;
  // Each running program listens; many may run at a time.
  setMaxListeners(0, signal);
  return {
    environment: process.env,
    now: () => Date.now(),
    run: (request) => runProcess({ signal, ...request }),
    emit: options.emit ?? (() => undefined),
    signal,
  };
}
