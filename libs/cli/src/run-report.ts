/** What a run tells at its end: each failure with what it holds up, and what was done. */
import { BuildError } from '@kiln/diagnostics';
import type { LoggedRun } from '@kiln/distribution';
import { formatDuration } from './duration.ts';
import { describeFailure } from './failure.ts';
import type { TaskEnd } from './run-tasks.ts';
import type { TaskFailure } from './schedule.ts';

const NAMED_TASKS = 5;

/** Counts how tasks end. */
export class RunTally {
  readonly #started: number;
  readonly #now: () => number;
  readonly #counts = { built: 0, cached: 0, failed: 0, blocked: 0 };

  /** @param now milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
    this.#started = now();
  }

  readonly count = (_: string, { outcome }: Pick<TaskEnd, 'outcome'>): void => {
    this.#counts[outcome] += 1;
  };

  /** The entry of the log of runs, as of now. */
  record(run: string, command: string): LoggedRun {
    const { cached, ...counts } = this.#counts;
    const time = (milliseconds: number) => new Date(milliseconds).toISOString();
    const [started, ended] = [time(this.#started), time(this.#now())];
    return { run, command, started, ended, counts: { ...counts, unchanged: cached } };
  }

  /** `3 built, 5 unchanged, 1 failed, 12 blocked, 2 not begun in 12:30`. @param left tasks that the end of the run left out */
  summary(left = 0): string {
    const { built, cached, failed, blocked } = this.#counts;
    const parts = [
      `${built} built`,
      `${cached} unchanged`,
      ...(failed === 0 ? [] : [`${failed} failed`]),
      ...(blocked === 0 ? [] : [`${blocked} blocked`]),
      ...(left === 0 ? [] : [`${left} not begun`]),
    ];
    return `${parts.join(', ')} in ${formatDuration((this.#now() - this.#started) / 1000)}`;
  }
}

/** The failure of a task with the tasks that it holds up, directly or through others. */
export function failureText(failure: TaskFailure): string {
  const { blocks } = failure;
  const text = describeFailure(errorOf(failure));
  if (blocks.length === 0) return text;
  const named = [...blocks].sort().slice(0, NAMED_TASKS).map(spoken).join(', ');
  const more = blocks.length > NAMED_TASKS ? ` and ${blocks.length - NAMED_TASKS} more` : '';
  return `${text}\n  blocks: ${blocks.length} ${blocks.length === 1 ? 'task' : 'tasks'}: ${named}${more}`;
}

/**
 * Tells all failures when there are several or something is blocked. Returns the error that the caller throws, which is told last;
 * undefined when nothing failed. When the user interrupts, what was running is no failure worth a text.
 */
export function tellFailures(
  failed: readonly TaskFailure[],
  { fail, isInterrupted }: { readonly fail: (text: string) => void; readonly isInterrupted: boolean },
): Error | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const blocked = failed.reduce((sum, { blocks }) => sum + blocks.length, 0);
  if (isInterrupted || (failed.length === 1 && blocked === 0)) return errorOf(first);
  for (const one of failed) fail(failureText(one));
  const count = `${failed.length} ${failed.length === 1 ? 'task' : 'tasks'} failed and ${blocked} could not begin`;
  return new BuildError('TASKS_FAILED', count, {
    hint: 'everything that needs none of them was done; put them right and run the same command again',
  });
}

/** Where a shell can be opened: a build, or a `%check`, that left something to look at. */
interface Scene {
  readonly target: 'rpm' | 'check';
  readonly id: string;
}

/** That of the first failure that has one. */
export function sceneOf(failed: readonly TaskFailure[]): Scene | undefined {
  for (const { name, error } of failed) {
    const [, target, id] = /^(rpm|check):(.*)$/.exec(name) ?? [];
    if (id === undefined || !(error instanceof BuildError) || error.log === undefined) continue;
    if (target === 'rpm' || error.code === 'TESTS_FAILED') return { target: target as Scene['target'], id };
  }
  return undefined;
}

/** The error of a task; that of a package's build tells how to look around where it failed. */
function errorOf(failure: TaskFailure): Error {
  const { error } = failure;
  if (!(error instanceof Error)) return new Error(String(error));
  const scene = sceneOf([failure]);
  if (scene === undefined || !(error instanceof BuildError)) return error;
  const { code, message, location, hint, log, command, diagnostics } = error;
  const shell = `\`npx kiln shell ${scene.target === 'check' ? '--check ' : ''}${scene.id}\` opens a shell where it failed`;
  const both = hint === undefined ? shell : `${hint}; ${shell}`;
  return new BuildError(code, message, { location, hint: both, log, command, diagnostics, cause: error });
}

/** `rpm:sed/sed` as `rpm sed/sed`. */
function spoken(name: string): string {
  return name.replace(':', ' ');
}
