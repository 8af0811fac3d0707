/** Runs tasks of a distribution in the order of their dependencies, several at once when asked. */
import { TARGETS, type Distribution, type Session, type TargetName } from '@kiln/distribution';
import type { Reporter, ReportedTask } from './reporter.ts';

/** A target for an id. */
export type Task = readonly [target: TargetName, id: string];

/** The tasks and everything before them, each after those it depends on. */
export function tasksInOrder(distribution: Distribution, wanted: readonly Task[]): Task[] {
  const ordered = new Map<string, Task>();
  const visit = (task: Task) => {
    if (ordered.has(nameOf(task))) return;
    for (const before of TARGETS[task[0]].before(distribution, task[1])) visit(before);
    ordered.set(nameOf(task), task);
  };
  wanted.forEach(visit);
  return [...ordered.values()];
}

/**
 * Runs tasks that are in order. After a failure no new task begins; those that run end first.
 * @throws the first failure.
 */
export async function runTasks(
  session: Session,
  tasks: readonly Task[],
  { reporter, parallel }: { readonly reporter: Reporter; readonly parallel: number },
): Promise<void> {
  const waiting = [...tasks];
  const done = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  const isReady = ([target, id]: Task) =>
    TARGETS[target].before(session.distribution, id).every((one) => done.has(nameOf(one)));

  while (waiting.length > 0 || running.size > 0) {
    while (running.size < parallel && failures.length === 0) {
      const next = waiting.findIndex(isReady);
      if (next < 0) break;
      const [task] = waiting.splice(next, 1) as [Task];
      const name = nameOf(task);
      const run = runTask(session, task, reporter)
        .then(() => void done.add(name))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(name));
      running.set(name, run);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (failures.length > 0) throw failures[0];
}

async function runTask(session: Session, [target, id]: Task, reporter: Reporter): Promise<void> {
  const reported: ReportedTask = { action: target, subject: id, log: TARGETS[target].log(id) };
  reporter.begin(reported);
  try {
    const { outcome } = await session.run(target, id);
    reporter.finish(reported, outcome);
  } catch (error) {
    reporter.finish(reported, 'failed');
    throw error;
  }
}

function nameOf([target, id]: Task): string {
  return `${target}:${id}`;
}
