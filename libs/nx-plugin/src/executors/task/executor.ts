/** Do a task of the distribution. */
import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { BAIL_VARIABLE } from '../../bail.ts';
import { parallelLimit } from '../../parallel-limit.ts';
import { runTasksOfNx, type NxTaskEnd, type TaskOptions } from '../../run-tasks-of-nx.ts';
import { tasksOfRun } from '../../task-counts.ts';

/** One task in a process of its own: with `--batch=false`. */
export default async function task(options: TaskOptions, { root }: ExecutorContext): Promise<{ success: boolean }> {
  for await (const { result } of runTasksOfNx(new Map([['task', options]]), { root, quiet: true })) {
    if (result.terminalOutput !== '') process.stderr.write(result.terminalOutput);
    return { success: result.success };
  }
  return { success: false };
}

/** All tasks of a run in one process. */
export function batch(
  { tasks }: TaskGraph,
  options: Readonly<Record<string, TaskOptions>>,
  _overrides: unknown,
  { root, taskGraph, projectsConfigurations }: ExecutorContext,
): AsyncIterableIterator<NxTaskEnd> {
  const names = Object.keys(tasks);
  const total = tasksOfRun(taskGraph ?? { tasks }, projectsConfigurations.projects);
  const parallel = parallelLimit(process.env);
  return runTasksOfNx(new Map(names.map((name) => [name, options[name]!])), {
    root,
    total,
    ended: total - names.length,
    ...(parallel === undefined ? {} : { parallel }),
    bail: process.env[BAIL_VARIABLE] === '1',
  });
}
