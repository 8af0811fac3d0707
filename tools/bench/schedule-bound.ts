/** What no schedule of tasks on a machine can beat. Pure. */
import type { Machine, SleepingTask } from './schedule-graphs.ts';

/** The share of a machine that a task keeps busy, so that tasks that can run side by side never have more than 1 together. */
type Share = (memoryBytes: number) => number;

/**
 * Seconds that every schedule takes. For each pair of times, the tasks that can't begin before the first and have at least the second
 * after them: both times and the sum of these tasks' times, by the worst way of sharing the machine. It contains the longest chain, work /
 * workers, memory × time / memory, and chains of tasks that exclude each other. `tasks` are in an order in which they can run.
 */
export function scheduleBound(tasks: readonly SleepingTask[], machine: Machine): number {
  const chains = withChains(tasks);
  let most = Math.max(0, ...chains.map(({ head, seconds, tail }) => head + seconds + tail));
  for (const share of sharesOf(tasks, machine)) {
    const sized = chains.map((one) => ({
      ...one,
      work: one.seconds * share(Math.min(one.memoryBytes, machine.memoryBytes)),
    }));
    for (const head of new Set(chains.map((one) => one.head))) {
      // The largest tail first: the sum is that of all tasks whose tail is at least as long.
      const late = sized.filter((one) => one.head >= head).sort((a, b) => b.tail - a.tail);
      let work = 0;
      for (const one of late) {
        work += one.work;
        if (one.work > 0) most = Math.max(most, head + work + one.tail);
      }
    }
  }
  return most;
}

/** Seconds of the longest chains before and after each task. */
function withChains(tasks: readonly SleepingTask[]) {
  const ends = new Map<string, number>();
  const heads = tasks.map(({ name, before, seconds }) => {
    const head = Math.max(0, ...before.map((one) => ends.get(one)!));
    ends.set(name, head + seconds);
    return head;
  });
  const tails = new Map(tasks.map(({ name }) => [name, 0]));
  for (const { name, before, seconds } of [...tasks].reverse())
    for (const one of before) tails.set(one, Math.max(tails.get(one)!, tails.get(name)! + seconds));
  return tasks.map((task, at) => ({ ...task, head: heads[at]!, tail: tails.get(task.name)! }));
}

/** Dual feasible functions: what needs more than all but `little` memory runs beside nothing that needs `little` or more. */
function sharesOf(tasks: readonly SleepingTask[], { workers, memoryBytes }: Machine): Share[] {
  const among =
    (little: number, middle: Share): Share =>
    (memory) =>
      memory > memoryBytes - little ? 1 : memory < little ? 0 : middle(memory);
  const shares: Share[] = [() => 1 / workers, (memory) => memory / memoryBytes];
  for (const little of new Set(tasks.map((task) => task.memoryBytes)))
    if (little <= memoryBytes / 2)
      shares.push(
        among(little, () => 1 / workers),
        among(little, (memory) => memory / memoryBytes),
      );
  return shares;
}
