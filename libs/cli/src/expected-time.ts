/** How long a run will probably take: its longest chain, and a simulation with so many workers. */
import { remainingSeconds, type ScheduledTask } from './schedule.ts';

export interface ExpectedTime {
  /** With the given number of workers. */
  readonly seconds: number;
  readonly workers: number;
  /** However many workers there are. */
  readonly criticalPath: { readonly seconds: number; readonly tasks: readonly string[] };
}

/** Tasks begin as `runSchedule` begins them: what the longest remaining chain begins with goes first. The graph must have no cycle. */
export function expectedTime(tasks: readonly ScheduledTask[], workers: number): ExpectedTime {
  const remaining = remainingSeconds(tasks);
  return { seconds: simulate(tasks, workers, remaining), workers, criticalPath: criticalPath(tasks, remaining) };
}

function simulate(tasks: readonly ScheduledTask[], workers: number, remaining: ReadonlyMap<string, number>): number {
  const known = new Set(tasks.map(({ name }) => name));
  const waitsFor = new Map(tasks.map(({ name, before }) => [name, new Set(before.filter((one) => known.has(one)))]));
  const waiting = [...tasks].sort(
    (a, b) => remaining.get(b.name)! - remaining.get(a.name)! || (a.name < b.name ? -1 : 1),
  );
  const running: { readonly name: string; readonly end: number }[] = [];
  let now = 0;
  while (waiting.length > 0 || running.length > 0) {
    const at = running.length < workers ? waiting.findIndex(({ name }) => waitsFor.get(name)!.size === 0) : -1;
    if (at >= 0) {
      const [{ name, seconds }] = waiting.splice(at, 1) as [ScheduledTask];
      running.push({ name, end: now + seconds });
      continue;
    }
    running.sort((a, b) => a.end - b.end);
    const { name, end } = running.shift()!;
    now = end;
    for (const open of waitsFor.values()) open.delete(name);
  }
  return now;
}

function criticalPath(
  tasks: readonly ScheduledTask[],
  remaining: ReadonlyMap<string, number>,
): ExpectedTime['criticalPath'] {
  const longest = (names: readonly string[]): string | undefined =>
    [...names].sort((a, b) => remaining.get(b)! - remaining.get(a)! || (a < b ? -1 : 1))[0];
  const path: string[] = [];
  for (let next = longest(tasks.map(({ name }) => name)); next !== undefined;) {
    const last = next;
    path.push(last);
    next = longest(tasks.filter(({ before }) => before.includes(last)).map(({ name }) => name));
  }
  return { seconds: path.length === 0 ? 0 : remaining.get(path[0]!)!, tasks: path };
}
