/** Measures tasks while they are really done: what their programs used, whichever stage started them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventSink, ResourceUsage } from '@kiln/host';

/** What a task took from when it was let begin. */
export interface TaskMeasurement {
  /** Wall time. */
  readonly seconds: number;
  /** Sum over its programs, the largest memory of any; missing when none was measured. */
  readonly usage?: ResourceUsage;
}

interface Counting {
  usage?: ResourceUsage;
}

export class TaskMeter {
  readonly #now: () => number;
  readonly #current = new AsyncLocalStorage<Counting>();
  readonly #measured = new Map<string, TaskMeasurement>();

  /** @param now milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Passes events on; those of usage count for the task in whose course they come. */
  watch(sink: EventSink): EventSink {
    return (event) => {
      if (event.type === 'usage') {
        const counting = this.#current.getStore();
        if (counting !== undefined) counting.usage = sum(counting.usage, event.usage);
      }
      sink(event);
    };
  }

  /** Measures `work` as the task of that name; a failure too. */
  async measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = this.#now();
    const counting: Counting = {};
    try {
      return await this.#current.run(counting, work);
    } finally {
      this.#measured.set(name, { seconds: (this.#now() - started) / 1000, ...counting });
    }
  }

  /** The last measurement of a task. */
  measurement(name: string): TaskMeasurement | undefined {
    return this.#measured.get(name);
  }
}

function sum(before: ResourceUsage | undefined, one: ResourceUsage): ResourceUsage {
  if (before === undefined) return one;
  return {
    cpuSeconds: before.cpuSeconds + one.cpuSeconds,
    peakMemoryBytes: Math.max(before.peakMemoryBytes, one.peakMemoryBytes),
    readBytes: before.readBytes + one.readBytes,
    writtenBytes: before.writtenBytes + one.writtenBytes,
  };
}
