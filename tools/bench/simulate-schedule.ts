/** Simulates a machine on which tasks wait and start by Kiln's rule: its schedule without processes, files or a real clock. Pure. */
import { admit, type Ticket } from '@kiln/host';
import { remainingSeconds } from '../../libs/cli/src/schedule.ts';
import type { Machine, SleepingTask } from './schedule-graphs.ts';

export interface Span {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * When each task runs, in seconds from the beginning, in the order in which they begin. `expected` is what the rule believes of a task's
 * time, the truth when omitted.
 * @throws Error when nothing runs and nothing may start.
 */
export function simulateSchedule(
  tasks: readonly SleepingTask[],
  { workers, memoryBytes }: Machine,
  expected: (task: SleepingTask) => number = ({ seconds }) => seconds,
): Span[] {
  const priority = remainingSeconds(tasks.map((task) => ({ ...task, seconds: expected(task) })));
  const tickets = new Map<string, Ticket>();
  const spans = new Map<string, Span>();
  const done = new Set<string>();
  for (let now = 0; done.size < tasks.length;) {
    for (const task of tasks) {
      const { name, before, memoryBytes: need } = task;
      if (tickets.has(name) || done.has(name) || !before.every((one) => done.has(one))) continue;
      const ticket = { id: name, run: 'run', held: false, memoryBytes: need, cores: 1 };
      tickets.set(name, { ...ticket, priority: priority.get(name)!, since: now * 1000, seconds: expected(task) });
    }
    const answers = admit([...tickets.values()], { memoryBytes, cores: workers }, now * 1000);
    for (const { name, seconds } of tasks)
      if (answers.has(name) && answers.get(name)!.lack === undefined) {
        tickets.set(name, { ...tickets.get(name)!, held: true, since: now * 1000 });
        spans.set(name, { name, start: now, end: now + seconds });
      }
    const ends = [...spans.values()].filter(({ name }) => !done.has(name)).map(({ end }) => end);
    if (ends.length === 0) throw new Error(`nothing runs after ${now} s, and ${tickets.size} tasks wait`);
    now = Math.min(...ends);
    for (const { name, end } of spans.values()) {
      if (end > now) continue;
      done.add(name);
      tickets.delete(name);
    }
  }
  return [...spans.values()];
}

/** Seconds from the beginning to the last end. */
export function secondsOf(spans: readonly Span[]): number {
  return Math.max(0, ...spans.map(({ end }) => end));
}
