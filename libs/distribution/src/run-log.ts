/** The log of runs: one line of JSON for each command that did tasks, when it ended. */
import { join } from 'node:path';
import { appendJsonLine, readJsonLines } from './json-lines.ts';

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
  appendJsonLine(join(root, RUN_LOG), run);
}

/** The logged runs, oldest first. */
export function readRunLog(root: string): LoggedRun[] {
  return readJsonLines(join(root, RUN_LOG));
}

/** Readable and unlike any other: when it began and in which process. */
export function newRunName(): string {
  return `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${process.pid}`;
}
