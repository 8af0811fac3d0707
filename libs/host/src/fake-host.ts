/** A host for tests: programs are functions, the clock stands still, events are kept. */
import type { KilnEvent } from './event.ts';
import type { Host } from './host.ts';
import type { RunRequest, RunResult } from './process.ts';

export interface FakeHost extends Host {
  readonly events: readonly KilnEvent[];
  readonly requests: readonly RunRequest[];
}

/** Answers each request by `program(argv)`; the default succeeds silently. */
export function createFakeHost(program: (request: RunRequest) => Partial<RunResult> = () => ({})): FakeHost {
  const events: KilnEvent[] = [];
  const requests: RunRequest[] = [];
  return {
    environment: {},
    now: () => 0,
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    events,
    requests,
    run: (request) => {
      requests.push(request);
      return Promise.resolve({ status: 0, stdout: '', stderr: '', seconds: 0, timedOut: false, ...program(request) });
    },
  };
}
