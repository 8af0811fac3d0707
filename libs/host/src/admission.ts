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
  /** When it began to run (`held`) or to wait: milliseconds since the epoch. */
  readonly since: number;
  /** What it will probably take. */
  readonly seconds: number;
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
 * What each of the waiting tickets lacks to start now. They are looked at by priority, those out of patience first. The first one that
 * doesn't fit is promised the moment when enough will be free; smaller ones pass it when they will have ended by then, or fit beside it,
 * until its patience ends. A task that needs more than there is starts alone.
 */
export function admit(tickets: readonly Ticket[], capacity: Resources, now: number): Map<string, Answer> {
  const free = freeResources(tickets, capacity);
  const running = tickets.filter(({ held }) => held);
  const perRun = new Map<string, number>();
  for (const { run } of running) perRun.set(run, (perRun.get(run) ?? 0) + 1);
  const answers = new Map<string, Answer>();
  let closed = false;
  let promise: Promised | undefined;
  for (const ticket of inOrder(tickets, now)) {
    const need = withinCapacity(ticket, capacity);
    const isBounded = (perRun.get(ticket.run) ?? 0) >= (ticket.most ?? Infinity);
    const lack = closed || isBounded ? 'turn' : (lackOf(need, free) ?? lackBeside(promise, ticket, need));
    answers.set(ticket.id, { lack, free: { ...free } });
    if (lack === undefined) {
      take(free, need);
      if (promise !== undefined && ticket.seconds > promise.seconds) take(promise.beside, need);
      running.push({ ...ticket, held: true, since: now });
      perRun.set(ticket.run, (perRun.get(ticket.run) ?? 0) + 1);
    } else if (lack !== 'turn') {
      closed ||= isImpatient(ticket, now);
      promise ??= promised(need, { running, free, capacity, now });
    }
  }
  return answers;
}

/** When the first task that doesn't fit can start. */
interface Promised {
  /** From now. */
  readonly seconds: number;
  /** What will be free beside it then. */
  readonly beside: Writable<Resources>;
}

interface Occupied {
  readonly running: readonly Ticket[];
  readonly free: Resources;
  readonly capacity: Resources;
  readonly now: number;
}

function promised(need: Resources, { running, free, capacity, now }: Occupied): Promised {
  const later = { ...free };
  let seconds = 0;
  const ends = running.map((ticket) => ({ ticket, left: secondsLeft(ticket, now) })).sort((a, b) => a.left - b.left);
  for (const { ticket, left } of ends) {
    if (lackOf(need, later) === undefined) break;
    const freed = withinCapacity(ticket, capacity);
    later.memoryBytes += freed.memoryBytes;
    later.cores += freed.cores;
    seconds = left;
  }
  take(later, need);
  return { seconds, beside: later };
}

/** One that takes longer than expected probably does so as long again. */
function secondsLeft({ seconds, since }: Ticket, now: number): number {
  return Math.abs(seconds - (now - since) / 1000);
}

/** A task that would delay the promised one waits for its turn. */
function lackBeside(promise: Promised | undefined, { seconds }: Ticket, need: Resources): Lack | undefined {
  if (promise === undefined || seconds <= promise.seconds) return undefined;
  return lackOf(need, promise.beside) === undefined ? undefined : 'turn';
}

function take(from: Writable<Resources>, need: Resources): void {
  from.memoryBytes -= need.memoryBytes;
  from.cores -= need.cores;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the running tasks leave; never less than nothing. */
function freeResources(tickets: readonly Ticket[], capacity: Resources): Writable<Resources> {
  const free = { ...capacity };
  for (const ticket of tickets) {
    if (ticket.held) take(free, withinCapacity(ticket, capacity));
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
