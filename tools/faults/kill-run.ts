/** A run is killed at a moment; the next one must end as if nothing had been. */
import { readEventLog } from '@kiln/distribution';
import type { SmallTree } from '../e2e/small-tree.ts';
import { start } from '../e2e/run-kiln.ts';
import { build, forget, problemsAfter, TASK } from './faulted-tree.ts';

export interface KilledRun {
  /** Seconds after the start of the command. */
  readonly killedAfter: number;
  /** Whether the run was still going on. */
  readonly wasRunning: boolean;
  /** Tasks that the killed run had done, and those that the next one did not do again. */
  readonly doneBefore: number;
  readonly kept: number;
  readonly problems: readonly string[];
}

/** Begins with an empty store, kills Kiln without warning, and runs again. */
export async function killAndRunAgain(
  tree: SmallTree,
  { seconds, undisturbed }: { readonly seconds: number; readonly undisturbed: ReadonlyMap<string, string> },
): Promise<KilledRun> {
  forget(tree);
  const running = start(tree, TASK);
  const timer = setTimeout(() => process.kill(running.pid, 'SIGKILL'), seconds * 1000);
  const { status } = await running.ended;
  clearTimeout(timer);
  const done = readEventLog(tree.root).filter(({ outcome }) => outcome === 'built');
  const before = new Set(done.map(({ action, subject }) => `${action}:${subject}`));
  const again = await build(tree);
  const repeated = again.built.filter((task) => before.has(task));
  return {
    killedAfter: seconds,
    wasRunning: status === null,
    doneBefore: before.size,
    kept: before.size - repeated.length,
    problems: problemsAfter(tree, undisturbed),
  };
}
