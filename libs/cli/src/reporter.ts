/** Progress for people: typed events become lines; on a terminal the running tasks are one live block. */
import { createLogUpdate } from 'log-update';
import { printable } from '@kiln/diagnostics';
import type { EventSink, KilnEvent, NoticeEvent, ProgressEvent } from '@kiln/host';
import type { TaskMeasurement } from '@kiln/distribution';
import { formatDuration } from './duration.ts';
import { formatMemory } from './memory.ts';
import type { Terminal } from './terminal.ts';

/** Milliseconds between two signs of life of a task when nobody can watch a live block. */
const HEARTBEAT = 30_000;
const LIVE_REFRESH = 1000;
const DEFAULT_ROWS = 24;

/** A task that a person waits for. */
export interface ReportedTask {
  readonly action: string;
  readonly subject: string;
  /** Path of its log, relative to the workspace. */
  readonly log?: string;
}

/** `stale`: what it needs became something else than was planned. */
export type ReportedOutcome = 'built' | 'cached' | 'failed' | 'stale';

export interface Reporter {
  readonly emit: EventSink;
  begin(task: ReportedTask): void;
  /** It waits for what `reason` says. */
  wait(task: ReportedTask, reason: string): void;
  /** It waits no more: its time counts from now. */
  start(task: ReportedTask): void;
  finish(task: ReportedTask, outcome: ReportedOutcome, measurement?: TaskMeasurement): void;
  /** It will not run. */
  block(task: ReportedTask): void;
  /** Prints a line of the run as a whole. */
  say(line: string): void;
  /** Prints the text of a failure. */
  fail(text: string): void;
  /** Stops the clock and leaves the terminal clean. */
  end(): void;
}

export interface ReporterOptions {
  readonly terminal: Terminal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Seconds that a task will probably take. */
  readonly estimate?: (task: ReportedTask) => number | undefined;
  /** Seconds until everything is done. */
  readonly left?: () => number | undefined;
  /** How many tasks there are, those that ended before included; without it tasks aren't counted. */
  readonly total?: number;
  /** How many had ended before the first begins here. */
  readonly ended?: number;
}

interface RunningTask extends ReportedTask {
  readonly label: string;
  started: number;
  waits: boolean;
  /** The last message without its numbers: when it changes, a new step has begun. */
  step?: string;
  message: string;
  spoken: number;
}

export function createReporter(options: ReporterOptions): Reporter {
  return new LineReporter(options);
}

class LineReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  readonly #running = new Map<string, RunningTask>();
  readonly #clock: NodeJS.Timeout;
  #ended: number;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#ended = options.ended ?? 0;
    this.#live = options.terminal.live ? createLogUpdate(options.terminal.out) : undefined;
    this.#clock = setInterval(() => this.#showLife(), LIVE_REFRESH);
    this.#clock.unref();
  }

  readonly emit = (event: KilnEvent): void => {
    if (event.type === 'notice') this.say(noticeLine(event, this.#options.terminal));
    if (event.type !== 'progress') return;
    const task = this.#running.get(keyOf(event));
    if (task !== undefined) task.waits = false;
    this.#step(event, event.message, progressText(event));
  };

  begin(task: ReportedTask): void {
    const now = this.#options.now();
    const state = { label: nameOf(task), message: 'waiting', started: now, spoken: now, waits: true };
    this.#running.set(keyOf(task), { ...task, ...state });
    this.#refresh();
  }

  wait(task: ReportedTask, reason: string): void {
    const found = this.#running.get(keyOf(task));
    if (found === undefined) return;
    found.waits = true;
    this.#step(task, reason, reason);
  }

  start(task: ReportedTask): void {
    const found = this.#running.get(keyOf(task));
    if (found === undefined) return;
    Object.assign(found, { started: this.#options.now(), message: 'starting', waits: false });
    this.#refresh();
  }

  finish(task: ReportedTask, outcome: ReportedOutcome, measurement?: TaskMeasurement): void {
    const found = this.#running.get(keyOf(task));
    if (found === undefined) return;
    this.#running.delete(keyOf(task));
    this.#ended += 1;
    const { now, terminal } = this.#options;
    const seconds = measurement?.seconds ?? (now() - found.started) / 1000;
    const used = outcome === 'cached' ? '' : usedText(measurement);
    const log = outcome === 'failed' && found.log !== undefined ? terminal.colors.dim(` log: ${found.log}`) : '';
    this.say(`${this.#count()}${found.label} ${outcomeText(outcome, seconds, terminal)}${used}${log}`);
  }

  block(task: ReportedTask): void {
    this.#running.delete(keyOf(task));
    this.#ended += 1;
    this.#refresh();
  }

  say(line: string): void {
    this.#live?.clear();
    this.#options.terminal.out.write(`${line}\n`);
    this.#refresh();
  }

  fail(text: string): void {
    this.#live?.clear();
    this.#options.terminal.err.write(`${text}\n`);
    this.#refresh();
  }

  end(): void {
    clearInterval(this.#clock);
    this.#live?.clear();
    this.#live?.done();
  }

  /** A new step of a task gets a line when nobody can watch a live block. */
  #step(of: ReportedTask, name: string, message: string): void {
    const task = this.#running.get(keyOf(of));
    if (task === undefined) return;
    const step = name.replace(/\d+/g, '#');
    const isNext = task.step !== step;
    task.step = step;
    task.message = message;
    if (this.#live !== undefined || !isNext) return;
    task.spoken = this.#options.now();
    this.say(this.#stateLine(task));
  }

  /** A task that says nothing for long gets a line, so that nobody thinks it hangs. */
  #showLife(): void {
    if (this.#live !== undefined) return this.#refresh();
    const now = this.#options.now();
    const isQuiet = (task: RunningTask): boolean => now - task.spoken >= HEARTBEAT;
    const tasks = [...this.#running.values()];
    for (const task of tasks.filter((one) => !one.waits && isQuiet(one))) this.#speak([task]);
    // Many may wait for hours: one line is for all of them.
    const waiting = tasks.filter(({ waits }) => waits);
    if (waiting.some(isQuiet)) this.#speak(waiting);
  }

  /** A line of the first for all of them. */
  #speak(tasks: readonly RunningTask[]): void {
    for (const task of tasks) task.spoken = this.#options.now();
    const more = tasks.length > 1 ? `, and ${tasks.length - 1} more` : '';
    this.say(`${this.#stateLine(tasks[0]!)}${more}`);
  }

  #refresh(): void {
    if (this.#live === undefined) return;
    // Those that run stand above those that wait; what doesn't fit is counted.
    const tasks = [...this.#running.values()].sort((a, b) => Number(a.waits) - Number(b.waits));
    const room = Math.max(1, (this.#options.terminal.out.rows ?? DEFAULT_ROWS) - 3);
    const rows = tasks.slice(0, room).map((task) => this.#stateLine(task));
    const more = tasks.length > room ? [`… and ${tasks.length - room} more`] : [];
    this.#live([...this.#headLine(tasks), ...rows, ...more].join('\n'));
  }

  #headLine(tasks: readonly RunningTask[]): string[] {
    const { total, left, terminal } = this.#options;
    if (total === undefined || tasks.length === 0) return [];
    const waiting = tasks.filter(({ waits }) => waits).length;
    const seconds = left?.();
    const text = [
      `${this.#ended} of ${total} done`,
      `${tasks.length - waiting} running`,
      ...(waiting === 0 ? [] : [`${waiting} waiting`]),
      ...(seconds === undefined ? [] : [`about ${formatDuration(seconds)} left`]),
    ].join(', ');
    return [terminal.colors.bold(text)];
  }

  #count(): string {
    const { total } = this.#options;
    return total === undefined ? '' : `[${this.#ended}/${total}] `;
  }

  #stateLine(task: RunningTask): string {
    const { now, estimate, terminal } = this.#options;
    const seconds = (now() - task.started) / 1000;
    const expected = task.waits ? undefined : estimate?.(task);
    const about = expected === undefined ? '' : ` of about ${formatDuration(expected)}`;
    const log = task.log === undefined || task.waits ? '' : terminal.colors.dim(` log: ${task.log}`);
    return `${task.label} ${task.message} ${formatDuration(seconds)}${about}${log}`;
  }
}

function nameOf({ action, subject }: ReportedTask): string {
  return action === subject ? action : `${action} ${subject}`;
}

function keyOf({ action, subject }: ReportedTask): string {
  return `${action}:${subject}`;
}

function progressText({ message, done, total, unit }: ProgressEvent): string {
  if (done === undefined) return message;
  const amount = (value: number) => (unit === 'bytes' ? `${(value / 1_000_000).toFixed(1)} MB` : String(value));
  const what = unit === undefined || unit === 'bytes' ? '' : ` ${unit}`;
  return `${message} ${amount(done)}${total === undefined ? '' : ` of ${amount(total)}`}${what}`;
}

function noticeLine({ severity, code, message }: NoticeEvent, { colors }: Terminal): string {
  return severity === 'warning'
    ? `${colors.yellow(`warning ${code}`)}: ${printable(message)}`
    : `${colors.dim('note')}: ${printable(message)}`;
}

function usedText(measurement: TaskMeasurement | undefined): string {
  if (measurement?.usage === undefined) return '';
  const { cpuSeconds, peakMemoryBytes } = measurement.usage;
  return ` (CPU ${formatDuration(cpuSeconds)}, memory ${formatMemory(peakMemoryBytes)})`;
}

function outcomeText(outcome: ReportedOutcome, seconds: number, { colors }: Terminal): string {
  switch (outcome) {
    case 'built':
      return colors.green(`built in ${formatDuration(seconds)}`);
    case 'cached':
      return colors.dim('unchanged');
    case 'failed':
      return colors.red(`failed after ${formatDuration(seconds)}`);
    case 'stale':
      return colors.yellow('must be planned anew');
  }
}
