/** Who may start: the rule by which memory and cores of the machine are given to waiting tasks. Pure. */

/** What a task needs while it runs, or what a machine has. */
export interface Resources {
  readonly memoryBytes: number;
  /** May be a fraction: cores that are kept busy on average. */
  readonly cores: number;
}

/** A task of any process of the machine that runs (`held`) or waits. */
export interface Ticket extends Resources {
  readonly id: string;
  readonly held: boolean;
  /** Greater goes first: seconds of the longest chain of tasks that begins with this one. */
  readonly priority: number;
  /** When it began to wait: milliseconds since the epoch. */
  readonly since: number;
  /** The run that it belongs to, of which at most `most` tasks run at once. */
  readonly run: string;
  readonly most?: number;
}

/** What a waiting task lacks. */
export type Lack = 'memory' | 'cores' | 'turn';

/** Whether a waiting task may start, and what those before it in the order leave. */
export interface Answer {
  /** Nothing when it may start. */
  readonly lack: Lack | undefined;
  readonly free: Resources;
}

/** Milliseconds after which nobody may overtake a waiting task any more. */
export const PATIENCE = 60_000;

/**
 * What each of the waiting tickets lacks to start now. They are looked at by priority, those out of patience first;
 * one that doesn't fit lets smaller ones pass until its patience ends. A task that needs more than there is starts alone.
 */
export function admit(tickets: readonly Ticket[], capacity: Resources, now: number): Map<string, Answer> {
  const free = freeResources(tickets, capacity);
  const running = new Map<string, number>();
  for (const { held, run } of tickets) if (held) running.set(run, (running.get(run) ?? 0) + 1);
  const answers = new Map<string, Answer>();
  let closed = false;
  for (const ticket of inOrder(tickets, now)) {
    const need = withinCapacity(ticket, capacity);
    const lack = closed || (running.get(ticket.run) ?? 0) >= (ticket.most ?? Infinity) ? 'turn' : lackOf(need, free);
    answers.set(ticket.id, { lack, free: { ...free } });
    if (lack === undefined) {
      free.memoryBytes -= need.memoryBytes;
      free.cores -= need.cores;
      running.set(ticket.run, (running.get(ticket.run) ?? 0) + 1);
    } else if (lack !== 'turn' && isImpatient(ticket, now)) closed = true;
  }
  return answers;
}

/** What the running tasks leave; never less than nothing. */
function freeResources(tickets: readonly Ticket[], capacity: Resources): { memoryBytes: number; cores: number } {
  const free = { ...capacity };
  for (const ticket of tickets) {
    if (!ticket.held) continue;
    const need = withinCapacity(ticket, capacity);
    free.memoryBytes -= need.memoryBytes;
    free.cores -= need.cores;
  }
  return { memoryBytes: Math.max(0, free.memoryBytes), cores: Math.max(0, free.cores) };
}

function inOrder(tickets: readonly Ticket[], now: number): Ticket[] {
  const rank = (ticket: Ticket) => (isImpatient(ticket, now) ? 0 : 1);
  return tickets
    .filter(({ held }) => !held)
    .sort(
      (a, b) =>
        rank(a) - rank(b) ||
        (rank(a) === 0 ? a.since - b.since : b.priority - a.priority) ||
        a.since - b.since ||
        (a.id < b.id ? -1 : 1),
    );
}

function isImpatient({ since }: Ticket, now: number): boolean {
  return now - since >= PATIENCE;
}

function withinCapacity({ memoryBytes, cores }: Resources, capacity: Resources): Resources {
  return { memoryBytes: Math.min(memoryBytes, capacity.memoryBytes), cores: Math.min(cores, capacity.cores) };
}

/** Shares of cores are sums of fractions: a rounding error is no lack. */
const ROUNDING = 1e-6;

function lackOf(need: Resources, free: Resources): Lack | undefined {
  if (need.memoryBytes > free.memoryBytes) return 'memory';
  return need.cores > free.cores + ROUNDING ? 'cores' : undefined;
}
