/** What happens before and after the tasks of an Nx command: it gets a name, and an entry in the log of runs. */
import type { PostTasksExecutionContext, PreTasksExecutionContext, TaskResults } from '@nx/devkit';
import { logRun, newRunName, readEventLog, TARGETS, type LoggedEvent, type LoggedRun } from '@kiln/distribution';
import type { PluginOptions } from './infer.ts';
import { asksToBail, BAIL_VARIABLE } from './bail.ts';
import { askedParallel, PARALLEL_VARIABLE } from './parallel-limit.ts';

/** Nx passes what is set here on to the processes of tasks. Always set: a daemon still has what the command before it set. */
export function beforeTasks({ argv }: Pick<PreTasksExecutionContext, 'argv'>, environment: NodeJS.ProcessEnv): void {
  environment['KILN_RUN'] = newRunName();
  environment[PARALLEL_VARIABLE] = askedParallel(argv, environment) ?? '';
  environment[BAIL_VARIABLE] = asksToBail(argv) ? '1' : '';
}

/** Logs the run, when it had tasks of ours. */
export function afterTasks(
  context: PostTasksExecutionContext,
  environment: NodeJS.ProcessEnv,
  { targetNames }: PluginOptions = {},
): void {
  const { workspaceRoot, taskResults, argv, startTime, endTime } = context;
  const run = environment['KILN_RUN'];
  if (run === undefined) return;
  const events = readEventLog(workspaceRoot).filter((event) => event.run === run);
  const counts = countTasks(taskResults, events, targetNames);
  if (Object.values(counts).every((count) => count === 0)) return;
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  const command = ['nx', ...argv.slice(2)].join(' ');
  logRun(workspaceRoot, { run, command, started: time(startTime), ended: time(endTime), counts });
}

/** Tasks that began have events; the others were answered by Nx's cache. `names` are the workspace's for Kiln's targets. */
export function countTasks(
  results: TaskResults,
  events: readonly Pick<LoggedEvent, 'outcome'>[],
  names: PluginOptions['targetNames'] = {},
): LoggedRun['counts'] {
  const having = (outcome: LoggedEvent['outcome']) => events.filter((event) => event.outcome === outcome).length;
  const ours = new Set<unknown>(Object.keys(TARGETS).map((target) => names[target] ?? target));
  const answered = Object.values(results).filter(
    ({ task, status }) => ours.has(task.target.target) && /^(local|remote)-cache/.test(status),
  );
  return {
    built: having('built'),
    unchanged: having('cached') + answered.length,
    failed: having('failed'),
    blocked: having('blocked'),
  };
}
