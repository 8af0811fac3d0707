/** The log of runs: one line of JSON for each command that did tasks, when it ended. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Workspace-relative path of the log. */
export const RUN_LOG = join('dist', 'logs', 'runs.jsonl');

/** A command as a whole. Tasks that a cache before the store answered count as unchanged; they never began and have no event. */
export interface LoggedRun {
  /** The name that its events have. */
  readonly run: string;
  /** As it was typed. */
  readonly command: string;
  /** ISO 8601. */
  readonly started: string;
  readonly ended: string;
  readonly counts: Readonly<Record<'built' | 'unchanged' | 'failed' | 'blocked', number>>;
}

/** Appends a run. */
export function logRun(root: string, run: LoggedRun): void {
  const file = join(root, RUN_LOG);
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(run)}\n`);
}

/** The logged runs, oldest first; a torn last line is passed over. */
export function readRunLog(root: string): LoggedRun[] {
  let text: string;
  try {
    text = readFileSync(join(root, RUN_LOG), 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as LoggedRun];
    } catch {
      return [];
    }
  });
}

/** Readable and unlike any other: when it began and in which process. */
export function newRunName(): string {
  return `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${process.pid}`;
}
