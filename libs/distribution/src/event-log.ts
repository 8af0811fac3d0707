/** The event log: one line of JSON for each action of any process, in the order in which they ended. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ActionEvent, EventSink } from '@kiln/host';

/** Workspace-relative path of the log. */
export const EVENT_LOG = join('dist', 'logs', 'events.jsonl');

/** A logged action and when it ended (ISO 8601). */
export interface LoggedEvent extends ActionEvent {
  readonly time: string;
}

/** Passes events on and appends actions to the log of the workspace. */
export function withEventLog(root: string, sink: EventSink): EventSink {
  const file = join(root, EVENT_LOG);
  return (event) => {
    sink(event);
    if (event.type !== 'action') return;
    const logged: LoggedEvent = { time: new Date().toISOString(), ...event };
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, `${JSON.stringify(logged)}\n`);
  };
}

/** The logged actions, oldest first; a torn last line is passed over. */
export function readEventLog(root: string): LoggedEvent[] {
  let text: string;
  try {
    text = readFileSync(join(root, EVENT_LOG), 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as LoggedEvent];
    } catch {
      return [];
    }
  });
}
