/** The events of one run, out of the logs of the workspace. */
import { BuildError } from '@kiln/diagnostics';
import { EVENT_LOG, readEventLog, readRunLog, type LoggedEvent, type LoggedRun } from '@kiln/distribution';

export interface RunEvents {
  readonly events: readonly LoggedEvent[];
  /** Missing while the run goes on, and after it was killed. */
  readonly run: LoggedRun | undefined;
}

/** @throws BuildError `RUN_MISSING` when there is no run of that name, or none at all. */
export function eventsOfRun(root: string, named: string | undefined): RunEvents {
  const [runs, all] = [readRunLog(root), readEventLog(root)];
  const name = named ?? lastName(runs.at(-1), all.at(-1));
  const events = name === undefined ? [] : all.filter((event) => event.run === name);
  const run = name === undefined ? undefined : runs.find((one) => one.run === name);
  if (events.length > 0 || run !== undefined) return { events, run };
  const what = named === undefined ? 'no run' : `no run '${named}'`;
  throw new BuildError('RUN_MISSING', `${EVENT_LOG} tells of ${what}`, {
    hint: 'build something first; `kiln events --json` names the runs',
  });
}

/** A run that goes on has events and no entry; one that a cache answered alone has an entry and no events. */
function lastName(run: LoggedRun | undefined, event: LoggedEvent | undefined): string | undefined {
  if (run === undefined || event?.run === undefined) return run?.run ?? event?.run;
  return event.time > run.ended ? event.run : run.run;
}
