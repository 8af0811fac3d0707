/** Progress for people: typed events become lines; on a terminal the running tasks are one live block. */
import { createLogUpdate } from 'log-update';
import type { EventSink, KilnEvent, NoticeEvent, ProgressEvent } from '@kiln/host';
import { formatDuration } from './duration.ts';
import type { RememberedDurations } from './remembered-durations.ts';
import type { Terminal } from './terminal.ts';

/** Milliseconds between two signs of life of a task when nobody can watch a live block. */
const HEARTBEAT = 30_000;
const LIVE_REFRESH = 1000;

/** A task that a person waits for. */
export interface ReportedTask {
  readonly action: string;
  readonly subject: string;
  /** Path of its log, relative to the workspace. */
  readonly log?: string;
  /** Its place among all, from 1; by default tasks are counted as they begin. */
  readonly position?: number;
}

export interface Reporter {
  readonly emit: EventSink;
  begin(task: ReportedTask): void;
  finish(task: ReportedTask, outcome: 'built' | 'cached' | 'failed'): void;
  /** Prints the text of a failure. */
  fail(text: string): void;
  /** Stops the clock and leaves the terminal clean. */
  end(): void;
}

export interface ReporterOptions {
  readonly terminal: Terminal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly remembered: RememberedDurations;
  /** How many tasks there are; without it tasks aren't counted. */
  readonly total?: number;
}

interface RunningTask extends ReportedTask {
  readonly label: string;
  readonly started: number;
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
  #begun = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#live = options.terminal.live ? createLogUpdate(options.terminal.out) : undefined;
    this.#clock = setInterval(() => this.#showLife(), LIVE_REFRESH);
    this.#clock.unref();
  }

  readonly emit = (event: KilnEvent): void => {
    if (event.type === 'notice') this.#say(noticeLine(event, this.#options.terminal));
    if (event.type === 'progress') this.#progress(event);
  };

  begin(task: ReportedTask): void {
    this.#begun += 1;
    const { total, now } = this.#options;
    const count = total === undefined ? '' : `[${task.position ?? this.#begun}/${total}] `;
    const label = `${count}${nameOf(task)}`;
    this.#running.set(keyOf(task), { ...task, label, started: now(), message: 'starting', spoken: now() });
    this.#refresh();
  }

  finish(task: ReportedTask, outcome: 'built' | 'cached' | 'failed'): void {
    const found = this.#running.get(keyOf(task));
    if (found === undefined) return;
    this.#running.delete(keyOf(task));
    const { now, terminal } = this.#options;
    this.#say(`${found.label} ${outcomeText(outcome, (now() - found.started) / 1000, terminal)}`);
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

  #progress(event: ProgressEvent): void {
    const task = this.#running.get(keyOf(event));
    if (task === undefined) return;
    const step = event.message.replace(/\d+/g, '#');
    const nextStep = task.step !== step;
    task.step = step;
    task.message = progressText(event);
    if (this.#live !== undefined || !nextStep) return;
    task.spoken = this.#options.now();
    this.#say(stateLine(task, this.#options));
  }

  /** Without a live block a task that says nothing for long gets a line, so that nobody thinks it hangs. */
  #showLife(): void {
    if (this.#live !== undefined) return this.#refresh();
    const now = this.#options.now();
    for (const task of this.#running.values()) {
      if (now - task.spoken < HEARTBEAT) continue;
      task.spoken = now;
      this.#say(stateLine(task, this.#options));
    }
  }

  #say(line: string): void {
    this.#live?.clear();
    this.#options.terminal.out.write(`${line}\n`);
    this.#refresh();
  }

  #refresh(): void {
    this.#live?.([...this.#running.values()].map((task) => stateLine(task, this.#options)).join('\n'));
  }
}

function nameOf({ action, subject }: ReportedTask): string {
  return action === subject ? action : `${action} ${subject}`;
}

function keyOf({ action, subject }: { readonly action: string; readonly subject: string }): string {
  return `${action}:${subject}`;
}

function stateLine(task: RunningTask, { now, remembered, terminal }: ReporterOptions): string {
  const seconds = (now() - task.started) / 1000;
  const before = remembered.get(keyOf(task));
  const estimate = before === undefined ? '' : ` of about ${formatDuration(before)}`;
  const log = task.log === undefined ? '' : terminal.colors.dim(` log: ${task.log}`);
  return `${task.label} ${task.message} ${formatDuration(seconds)}${estimate}${log}`;
}

function progressText({ message, done, total, unit }: ProgressEvent): string {
  if (done === undefined) return message;
  const amount = (value: number) => (unit === 'bytes' ? `${(value / 1_000_000).toFixed(1)} MB` : String(value));
  const what = unit === undefined || unit === 'bytes' ? '' : ` ${unit}`;
  return `${message} ${amount(done)}${total === undefined ? '' : ` of ${amount(total)}`}${what}`;
}

function noticeLine({ severity, code, message }: NoticeEvent, { colors }: Terminal): string {
  return severity === 'warning'
    ? `${colors.yellow(`warning ${code}`)}: ${message}`
    : `${colors.dim('note')}: ${message}`;
}

function outcomeText(outcome: 'built' | 'cached' | 'failed', seconds: number, { colors }: Terminal): string {
  switch (outcome) {
    case 'built':
      return colors.green(`built in ${formatDuration(seconds)}`);
    case 'cached':
      return colors.dim('unchanged');
    case 'failed':
      return colors.red(`failed after ${formatDuration(seconds)}`);
  }
}
