/** The event log: one line of JSON for each action of any process, in the order in which they ended. */
import { join } from 'node:path';
import type { ActionEvent, EventSink, ResourceUsage } from '@kiln/host';
import { appendJsonLine, readJsonLines } from './json-lines.ts';
import type { TaskMeasurement } from './task-meter.ts';

/** Workspace-relative path of the log. */
export const EVENT_LOG = join('dist', 'logs', 'events.jsonl');

/** An action that ended, or a task that could not begin. */
export interface LoggedEvent extends Omit<ActionEvent, 'outcome'> {
  readonly outcome: ActionEvent['outcome'] | 'blocked';
  /** When it ended: ISO 8601. */
  readonly time: string;
  /** The command that it was part of; the processes of one command have the same. */
  readonly run?: string;
  /** Time for which it waited for its turn, for memory or cores, or for another run; not part of `seconds`. */
  readonly waitedSeconds?: number;
  readonly usage?: ResourceUsage;
  /** The task whose failure blocked it: `target:id`. */
  readonly blockedBy?: string;
}

export interface EventLogOptions {
  readonly run: string;
  /** What a task really took, when it was measured. */
  readonly measurement: (name: string) => TaskMeasurement | undefined;
}

/** Passes events on and appends actions to the log of the workspace. */
export function withEventLog(root: string, sink: EventSink, { run, measurement }: EventLogOptions): EventSink {
  return (event) => {
    sink(event);
    if (event.type !== 'action') return;
    const measured = event.outcome === 'cached' ? undefined : measurement(`${event.action}:${event.subject}`);
    logEvent(root, { ...event, run, ...(measured === undefined ? {} : withMeasurement(event, measured)) });
  };
}

/** Appends an event that ends now. */
export function logEvent(root: string, event: Omit<LoggedEvent, 'time'>): void {
  const logged: LoggedEvent = { time: new Date().toISOString(), ...event };
  appendJsonLine(join(root, EVENT_LOG), logged);
}

/** The logged actions, oldest first. */
export function readEventLog(root: string): LoggedEvent[] {
  return readJsonLines(join(root, EVENT_LOG));
}

/** The events of the last command that did something. */
export function lastRun(events: readonly LoggedEvent[]): LoggedEvent[] {
  const run = events.at(-1)?.run;
  return run === undefined ? [] : events.filter((event) => event.run === run);
}

function withMeasurement({ seconds: all }: ActionEvent, { seconds, usage }: TaskMeasurement) {
  const waited = Math.round(Math.max(0, all - seconds) * 1000) / 1000;
  return { seconds, waitedSeconds: waited, ...(usage === undefined ? {} : { usage }) };
}
