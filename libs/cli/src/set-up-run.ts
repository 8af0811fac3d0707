/** What a run of tasks consists of: a session whose events the reporter shows, and the plan that gives both their estimates. */
import { Session, type Distribution, type TargetName } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { createReporter, type Reporter } from './reporter.ts';
import { RunPlan, type Task } from './run-tasks.ts';
import type { Terminal } from './terminal.ts';

export interface RunSetup {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly distribution: Distribution;
  readonly tasks: readonly Task[];
  /** All tasks of the command, when it has more than these. */
  readonly total?: number;
  /** How many of all have ended before. */
  readonly ended?: number;
}

export interface Run {
  readonly session: Session;
  readonly plan: RunPlan;
  /** Its clock runs until `end`. */
  readonly reporter: Reporter;
}

export function setUpRun({ terminal, signal, distribution, tasks, total, ended }: RunSetup): Run {
  let plan: RunPlan | undefined;
  const reporter = createReporter({
    terminal,
    now: () => Date.now(),
    total: total ?? tasks.length,
    ended: ended ?? 0,
    estimate: ({ action, subject }) => plan?.estimate([action as TargetName, subject]),
    left: () => plan?.left(),
  });
  try {
    const session = new Session(distribution, createHost({ emit: reporter.emit, signal }));
    plan = new RunPlan(session, tasks);
    return { session, plan, reporter };
  } catch (error) {
    reporter.end();
    throw error;
  }
}
