/**
 * Runs the tasks that Nx hands over: one process, one schedule, progress on standard output. What Nx keeps of a task and shows again
 * is only the text of its failure.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import {
  describeFailure,
  failureText,
  nameOf,
  prepareMachine,
  processTerminal,
  RunTally,
  runTasks,
  setUpRun,
  withInterrupts,
  type Task,
  type TaskEnd,
} from '@kiln/cli';
import { BuildError } from '@kiln/diagnostics';
import { loadDistribution, type TargetName } from '@kiln/distribution';
import { createHost } from '@kiln/host';

export interface TaskOptions {
  readonly target: TargetName;
  readonly id: string;
  /** Instead of the distribution's first. */
  readonly architecture?: string;
}

/** How Nx is told that a task ended; names and words are Nx's. */
export interface NxTaskEnd {
  /** Nx's name of the task. */
  readonly task: string;
  readonly result: {
    readonly success: boolean;
    readonly status: 'success' | 'failure' | 'skipped';
    readonly terminalOutput: string;
    readonly startTime?: number;
    readonly endTime?: number;
  };
}

export interface NxRun {
  readonly root: string;
  /** All tasks of the run, with those that ended before. */
  readonly total?: number;
  readonly ended?: number;
  readonly parallel?: number;
  /** Begin nothing new after the first failure. */
  readonly bail?: boolean;
  /** Nothing but failures is told: where Nx would keep progress and show it again. */
  readonly quiet?: boolean;
}

/** Each task once, as it ends. A failure is told by its result; nothing is thrown. @param wanted by Nx's names. */
export function runTasksOfNx(wanted: ReadonlyMap<string, TaskOptions>, run: NxRun): AsyncIterableIterator<NxTaskEnd> {
  // The build user must be able to read what we put into the store.
  process.umask(0o022);
  const ends = new PassThrough({ objectMode: true });
  const open = new Map([...wanted].map(([task, options]) => [keyOf(options), task]));
  const tell = (name: string, result: NxTaskEnd['result']) => {
    const task = open.get(name);
    open.delete(name);
    if (task !== undefined) ends.write({ task, result } satisfies NxTaskEnd);
  };
  const architectures = new Set([...wanted.values()].map(({ architecture }) => architecture));
  void withInterrupts(async (signal) => {
    // One after the other: each is a plan of its own.
    for (const architecture of architectures) {
      const own = [...wanted.values()].filter((one) => one.architecture === architecture);
      const onEnd = (name: string, end: TaskEnd) => tell(withArchitecture(name, architecture), nxResult(end));
      await work(own, { run, architecture, signal, onEnd });
    }
  })
    .catch((error: unknown) => {
      forgetMachine(run.root, error);
      // It concerns all of them; one says it.
      let text = `${describeFailure(error)}\n`;
      for (const name of [...open.keys()]) {
        tell(name, { success: false, status: 'failure', terminalOutput: text });
        text = '';
      }
    })
    .finally(() => {
      // After an interrupt some have not begun.
      for (const name of [...open.keys()]) tell(name, { success: false, status: 'skipped', terminalOutput: '' });
      ends.end();
    });
  return ends[Symbol.asyncIterator]() as AsyncIterableIterator<NxTaskEnd>;
}

function keyOf({ target, id, architecture }: TaskOptions): string {
  return withArchitecture(nameOf([target, id]), architecture);
}

function withArchitecture(name: string, architecture: string | undefined): string {
  return architecture === undefined ? name : `${name} ${architecture}`;
}

interface Work {
  readonly run: NxRun;
  readonly architecture: string | undefined;
  readonly signal: AbortSignal;
  readonly onEnd: (name: string, end: TaskEnd) => void;
}

async function work(wanted: readonly TaskOptions[], { run, architecture, signal, onEnd }: Work): Promise<void> {
  const tasks = wanted.map(({ target, id }): Task => [target, id]);
  const { root, parallel, bail = false, quiet, ...counts } = run;
  const ours = { ...processTerminal(process.env), live: false };
  const terminal = quiet === true ? { ...ours, out: nowhere() } : ours;
  const say = (line: string) => void terminal.out.write(`${line}\n`);
  await prepareMachine(createHost({ signal }), { root, canAsk: false, say });
  const distribution = await loadDistribution(root, architecture === undefined ? {} : { architecture });
  const { session, plan, reporter } = setUpRun({ terminal, signal, distribution, tasks, ...counts });
  const tally = new RunTally(() => Date.now());
  try {
    const limit = parallel === undefined ? {} : { parallel };
    const count = (name: string, end: TaskEnd) => {
      tally.count(name, end);
      onEnd(name, end);
    };
    const { left } = await runTasks(session, { reporter, plan, bail, onEnd: count, ...limit });
    if (tasks.length > 1) reporter.say(tally.summary(left.length));
  } finally {
    reporter.end();
  }
}

function nowhere(): NodeJS.WriteStream {
  return new Writable({ write: (_chunk, _encoding, done) => done() }) as NodeJS.WriteStream;
}

function nxResult(end: TaskEnd): NxTaskEnd['result'] {
  switch (end.outcome) {
    case 'built':
    case 'cached': {
      const endTime = Date.now();
      const startTime = endTime - Math.round((end.measurement?.seconds ?? 0) * 1000);
      return { success: true, status: 'success', terminalOutput: '', startTime, endTime };
    }
    case 'failed':
      return { success: false, status: 'failure', terminalOutput: `${failureText(end.failure)}\n` };
    case 'blocked':
      return { success: false, status: 'skipped', terminalOutput: '' };
  }
}

/** The `nx` wrapper remembers that the machine was ready; it has to look again. */
function forgetMachine(root: string, error: unknown): void {
  if (!(error instanceof BuildError) || error.code !== 'MACHINE_NOT_READY') return;
  rmSync(join(root, '.nx', 'kiln', 'machine-ready'), { force: true });
}
