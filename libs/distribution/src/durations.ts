/**
 * What tasks took when they were last really done: the source of every estimate. One file beside the store, so that all clones
 * of a user learn from each other and CI restores it with a copy.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withFileLock, writeFileAtomic } from '@kiln/host';

/** One time that a task was done. Waiting for locks, memory or cores doesn't count. */
export interface TaskRun {
  /** Wall time in seconds. */
  readonly seconds: number;
  /** When it ended: ISO 8601. */
  readonly ended: string;
  /** Processor time of all its processes in seconds. */
  readonly cpuSeconds?: number;
  /** Largest sum of memory of all its processes at one time. */
  readonly peakMemoryBytes?: number;
}

/** What a task will probably take. */
export interface TaskEstimate {
  /** Wall time in seconds: the median of the remembered runs. */
  readonly seconds: number;
  /** Cores that it kept busy on average; may be a fraction. */
  readonly cores?: number;
  /** The largest remembered peak. */
  readonly peakMemoryBytes?: number;
}

/** The task `target` of `id` on an architecture. */
export interface TaskName {
  readonly architecture: string;
  readonly target: string;
  readonly id: string;
}

interface DurationsFile {
  readonly version: 1;
  /** By `<architecture> <target>:<id>`; the newest run is last. */
  readonly tasks: Readonly<Record<string, readonly TaskRun[]>>;
}

const KEPT_RUNS = 3;
const KEPT_TASKS = 20_000;

/** Path of the file of a store. */
export function durationsFile(storeDirectory: string): string {
  return join(storeDirectory, 'durations.json');
}

/** Estimates from one reading of the file. */
export class Durations {
  readonly #tasks: DurationsFile['tasks'];

  constructor(tasks: DurationsFile['tasks']) {
    this.#tasks = tasks;
  }

  /** What the task will probably take; undefined when it is not known to have been done. */
  estimate(task: TaskName): TaskEstimate | undefined {
    const runs = this.#tasks[nameOf(task)] ?? [];
    if (runs.length === 0) return undefined;
    const cores = runs.flatMap(({ seconds, cpuSeconds }) =>
      cpuSeconds === undefined || seconds === 0 ? [] : [cpuSeconds / seconds],
    );
    const peaks = runs.flatMap(({ peakMemoryBytes }) => peakMemoryBytes ?? []);
    return {
      seconds: median(runs.map(({ seconds }) => seconds)),
      ...(cores.length === 0 ? {} : { cores: median(cores) }),
      ...(peaks.length === 0 ? {} : { peakMemoryBytes: Math.max(...peaks) }),
    };
  }
}

/** Reads the file of a store. One that is missing or damaged holds nothing: estimates are a convenience. */
export function readDurations(storeDirectory: string): Durations {
  return new Durations(readTasks(durationsFile(storeDirectory)));
}

/**
 * Remembers a run: the last three of each task, and of all tasks those that were done last. Safe for any number of processes.
 * @throws BuildError `LOCK_FAILED`.
 */
export async function recordDuration(storeDirectory: string, task: TaskName, run: TaskRun): Promise<void> {
  const file = durationsFile(storeDirectory);
  await withFileLock(join(storeDirectory, 'locks', 'durations'), async () => {
    const tasks = readTasks(file);
    const name = nameOf(task);
    const runs = [...(tasks[name] ?? []), run].slice(-KEPT_RUNS);
    const content: DurationsFile = { version: 1, tasks: newest({ ...tasks, [name]: runs }) };
    await writeFileAtomic(file, `${JSON.stringify(content)}\n`);
  });
}

function nameOf({ architecture, target, id }: TaskName): string {
  return `${architecture} ${target}:${id}`;
}

function newest(tasks: DurationsFile['tasks']): DurationsFile['tasks'] {
  const entries = Object.entries(tasks);
  if (entries.length <= KEPT_TASKS) return tasks;
  const endOf = (runs: readonly TaskRun[]) => runs.at(-1)?.ended ?? '';
  return Object.fromEntries(entries.sort(([, a], [, b]) => (endOf(a) < endOf(b) ? 1 : -1)).slice(0, KEPT_TASKS));
}

function readTasks(file: string): DurationsFile['tasks'] {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<DurationsFile>;
    if (value.version !== 1 || typeof value.tasks !== 'object') return {};
    return Object.fromEntries(Object.entries(value.tasks).filter(([, runs]) => areRuns(runs)));
  } catch {
    return {};
  }
}

function areRuns(runs: unknown): boolean {
  return (
    Array.isArray(runs) &&
    runs.every((run: Partial<TaskRun> | null) => Number.isFinite(run?.seconds) && typeof run?.ended === 'string')
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
