/** An executor whose tasks sleep, scheduled as Kiln schedules its own: for measuring schedules in real runs of Nx. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PassThrough } from 'node:stream';
import { runSchedule } from '@kiln/cli';
import { readDurations, recordDuration, type TaskRun } from '@kiln/distribution';
import { ResourceBroker } from '@kiln/host';
import type { SleepingTask } from './schedule-graphs.ts';

/** What a run is told in the variable `KILN_BENCH`, as JSON. */
export interface SleepingRun {
  /** `kiln`: the longest chain first. `fifo`: in the order in which they become ready. */
  readonly order: 'kiln' | 'fifo';
  readonly workers: number;
  readonly memoryBytes: number;
  /** Where durations are remembered; none are when omitted. */
  readonly store?: string;
  readonly tokens: string;
  /** File that receives a line `name start end` for each task, in seconds. */
  readonly results: string;
}

interface BatchGraph {
  readonly tasks: Readonly<Record<string, { readonly target: { readonly project: string } }>>;
}

type NxResult = { readonly task: string; readonly result: { readonly success: true; readonly terminalOutput: '' } };

/** As many waiting tasks as Kiln allows itself. */
const WINDOW = 8;

/** One task in a process of its own, in the order that Nx chooses. */
export async function sleepAlone(task: SleepingTask): Promise<{ success: boolean }> {
  await sleepAndTell(task, readRun().results);
  return { success: true };
}

export function sleepTogether(
  { tasks }: BatchGraph,
  options: Readonly<Record<string, SleepingTask>>,
): AsyncIterableIterator<NxResult> {
  const ends = new PassThrough({ objectMode: true });
  const byName = new Map(Object.keys(tasks).map((nxName) => [options[nxName]!.name, { nxName, ...options[nxName]! }]));
  const tell = (name: string) =>
    ends.write({ task: byName.get(name)!.nxName, result: { success: true, terminalOutput: '' } });
  void schedule([...byName.values()], tell).then(() => ends.end());
  return ends[Symbol.asyncIterator]() as AsyncIterableIterator<NxResult>;
}

async function schedule(tasks: readonly SleepingTask[], tell: (name: string) => void): Promise<void> {
  const run = readRun();
  const isFifo = run.order === 'fifo';
  const capacity = { memoryBytes: run.memoryBytes, cores: run.workers };
  const broker = new ResourceBroker({ directory: run.tokens, capacity });
  const named = (id: string) => ({ architecture: 'x86_64', target: 'sleep', id });
  const history = run.store === undefined ? undefined : readDurations(run.store);
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const took = new Map<string, TaskRun>();
  const expected = (name: string) => (isFifo ? 0 : (history?.estimate(named(name))?.seconds ?? 60));
  const result = await runSchedule(
    tasks.map(({ name, before }) => ({ name, before, seconds: expected(name) })),
    {
      window: isFifo ? Infinity : WINDOW,
      async run(name, { priority, admitted }) {
        const task = byName.get(name)!;
        const need = { what: name, priority, seconds: expected(name), cores: 1, memoryBytes: task.memoryBytes };
        const seconds = await broker.withResources(need, () => (admitted(), sleepAndTell(task, run.results)));
        tell(name);
        took.set(name, { seconds, ended: new Date().toISOString() });
      },
    },
  );
  // Builds take minutes; beside tasks of seconds remembering them would be a part of what is measured.
  if (run.store !== undefined) for (const [name, one] of took) await recordDuration(run.store, named(name), one);
  if (result.failed.length > 0) throw result.failed[0]!.error;
}

async function sleepAndTell({ name, seconds }: SleepingTask, results: string): Promise<number> {
  const start = Date.now() / 1000;
  await sleep(seconds * 1000);
  const end = Date.now() / 1000;
  appendFileSync(results, `${name} ${start} ${end}\n`);
  return end - start;
}

function readRun(): SleepingRun {
  return JSON.parse(process.env['KILN_BENCH'] ?? '') as SleepingRun;
}
