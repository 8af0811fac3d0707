/**
 * Runs a graph of tasks: what the longest remaining chain begins with goes first; a failure blocks what needs it and nothing else.
 * How many run at once is not decided here: each task asks for admission when it really has something to do.
 */

/** A task; `before` names tasks that end first, and those that aren't scheduled count as done. */
export interface ScheduledTask {
  readonly name: string;
  readonly before: readonly string[];
  /** What it will probably take. */
  readonly seconds: number;
}

export interface Schedule {
  /** Does a task. It says `admitted` as soon as it doesn't wait for its turn any more; one that never does is cheap. */
  run(name: string, turn: { readonly priority: number; readonly admitted: () => void }): Promise<void>;
  /** Called once for each failure, when it is known what will not run because of it. */
  failed?(failure: TaskFailure): void;
  /** Most tasks that wait for admission at once, unless a more urgent one comes. */
  readonly window: number;
  readonly signal?: AbortSignal;
  /** After the first failure nothing new begins; what runs then goes on to its end. */
  readonly bail?: boolean;
}

export interface TaskFailure {
  readonly name: string;
  readonly error: unknown;
  /** Tasks that need it, directly or through others, without those that an earlier failure blocks. */
  readonly blocks: readonly string[];
}

export interface ScheduleResult {
  readonly done: readonly string[];
  /** In the order in which they failed. */
  readonly failed: readonly TaskFailure[];
  /** What neither began nor was blocked, because the run was ended before. */
  readonly left: readonly string[];
}

/** Seconds of the longest chain of tasks that begins with each. The graph must have no cycle. */
export function remainingSeconds(tasks: readonly ScheduledTask[]): Map<string, number> {
  const seconds = new Map(tasks.map((task) => [task.name, task.seconds]));
  const after = dependents(tasks);
  const remaining = new Map<string, number>();
  // Each task is seen again when all that come after it have their number.
  for (const { name } of tasks) {
    const stack = [name];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const later = after.get(top) ?? [];
      const open = remaining.has(top) ? [] : later.filter((one) => !remaining.has(one));
      stack.push(...open);
      if (open.length > 0) continue;
      stack.pop();
      const longest = later.reduce((most, one) => Math.max(most, remaining.get(one)!), 0);
      remaining.set(top, seconds.get(top)! + longest);
    }
  }
  return remaining;
}

/** Runs the tasks; never rejects because of a task. After an interrupt, or with `bail` a failure, nothing new begins. */
export async function runSchedule(tasks: readonly ScheduledTask[], schedule: Schedule): Promise<ScheduleResult> {
  const run = new ScheduleRun(tasks, schedule);
  return run.toTheEnd();
}

class ScheduleRun {
  readonly #schedule: Schedule;
  readonly #priority: ReadonlyMap<string, number>;
  readonly #after: ReadonlyMap<string, readonly string[]>;
  /** Tasks before each that haven't ended. */
  readonly #open = new Map<string, number>();
  /** Ready, the most urgent last. */
  readonly #ready: string[] = [];
  readonly #waiting = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #done: string[] = [];
  readonly #failed: TaskFailure[] = [];
  readonly #blocked = new Set<string>();

  constructor(tasks: readonly ScheduledTask[], schedule: Schedule) {
    this.#schedule = schedule;
    this.#priority = remainingSeconds(tasks);
    this.#after = dependents(tasks);
    for (const { name, before } of tasks) {
      const open = new Set(before.filter((one) => this.#priority.has(one))).size;
      this.#open.set(name, open);
      if (open === 0) this.#ready.push(name);
    }
    this.#sortReady();
  }

  async toTheEnd(): Promise<ScheduleResult> {
    this.#start();
    while (this.#running.size > 0) await Promise.race(this.#running);
    const ended = new Set([...this.#done, ...this.#failed.map(({ name }) => name), ...this.#blocked]);
    const left = [...this.#open.keys()].filter((name) => !ended.has(name));
    return { done: this.#done, failed: this.#failed, left };
  }

  #start(): void {
    while (this.#ready.length > 0 && !this.#isEnding() && this.#mayWait(this.#ready.at(-1)!)) {
      const name = this.#ready.pop()!;
      this.#waiting.add(name);
      const run = this.#run(name).finally(() => {
        this.#waiting.delete(name);
        this.#running.delete(run);
        this.#start();
      });
      this.#running.add(run);
    }
  }

  #isEnding(): boolean {
    const { signal, bail = false } = this.#schedule;
    return signal?.aborted === true || (bail && this.#failed.length > 0);
  }

  #mayWait(name: string): boolean {
    if (this.#waiting.size < this.#schedule.window) return true;
    const lowest = Math.min(...[...this.#waiting].map((one) => this.#priority.get(one)!));
    return this.#priority.get(name)! > lowest;
  }

  async #run(name: string): Promise<void> {
    const admitted = () => {
      this.#waiting.delete(name);
      this.#start();
    };
    try {
      // Not in the caller's turn: a task that ends at once would change the lists under it.
      await Promise.resolve();
      await this.#schedule.run(name, { priority: this.#priority.get(name)!, admitted });
      this.#finish(name);
    } catch (error) {
      const failure = { name, error, blocks: this.#block(name) };
      this.#failed.push(failure);
      this.#schedule.failed?.(failure);
    }
  }

  #finish(name: string): void {
    this.#done.push(name);
    for (const next of this.#after.get(name) ?? []) {
      const open = this.#open.get(next)! - 1;
      this.#open.set(next, open);
      if (open === 0 && !this.#blocked.has(next)) this.#ready.push(next);
    }
    this.#sortReady();
  }

  #block(failed: string): string[] {
    const names = [failed];
    for (const name of names) {
      const next = (this.#after.get(name) ?? []).filter((one) => !this.#blocked.has(one));
      for (const one of next) this.#blocked.add(one);
      names.push(...next);
    }
    return names.slice(1);
  }

  #sortReady(): void {
    const priority = this.#priority;
    this.#ready.sort((a, b) => priority.get(a)! - priority.get(b)! || (a < b ? 1 : -1));
  }
}

function dependents(tasks: readonly ScheduledTask[]): Map<string, string[]> {
  const after = new Map<string, string[]>(tasks.map(({ name }) => [name, []]));
  for (const { name, before } of tasks) for (const one of new Set(before)) after.get(one)?.push(name);
  return after;
}
