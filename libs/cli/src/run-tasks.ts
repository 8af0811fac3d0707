/**
 * Runs tasks of a distribution: in the order of what they hold up, as many at once as the machine has memory and cores for, shared with
 * all other runs on it.
 */
import { BuildError } from '@kiln/diagnostics';
import { readDurations, taskResources, TARGETS, trimStore, type Admission, type Durations } from '@kiln/distribution';
import { logEvent, type Distribution, type Session, type TargetName, type TaskMeasurement } from '@kiln/distribution';
import { defaultTokenDirectory, machineResources, ResourceBroker, type Resources, type Waiting } from '@kiln/host';
import { garbageLines } from './garbage-report.ts';
import { formatMemory } from './memory.ts';
import type { ReportedTask, Reporter } from './reporter.ts';
import {
  remainingSeconds,
  runSchedule,
  type ScheduledTask,
  type ScheduleResult,
  type TaskFailure,
} from './schedule.ts';

/** A target for an id. */
export type Task = readonly [target: TargetName, id: string];

/** How a task ended. */
export type TaskEnd =
  | { readonly outcome: 'built' | 'cached'; readonly measurement: TaskMeasurement | undefined }
  | { readonly outcome: 'failed'; readonly failure: TaskFailure }
  | { readonly outcome: 'blocked'; readonly by: string };

export interface TaskRunOptions {
  readonly reporter: Reporter;
  readonly plan: RunPlan;
  /** Most tasks at once; the machine's resources are the only limit when omitted. */
  readonly parallel?: number;
  /** Begin nothing new after the first failure. */
  readonly bail?: boolean;
  /** Called once for each task. */
  readonly onEnd?: (name: string, end: TaskEnd) => void;
}

/** Tasks that wait for memory, cores or another run at once, each with a lock. */
const WINDOW = 8;
/** Milliseconds of waiting that nobody needs to hear of. */
const WORTH_TELLING = 2000;
/** For a task that was never done, when no other was either. */
const UNKNOWN_SECONDS = 60;

/** The tasks and everything before them, each after those it depends on. */
export function tasksInOrder(distribution: Distribution, wanted: readonly Task[]): Task[] {
  const ordered = new Map<string, Task>();
  const visit = (task: Task) => {
    if (ordered.has(nameOf(task))) return;
    for (const before of TARGETS[task[0]].before(distribution, task[1])) visit(before);
    ordered.set(nameOf(task), task);
  };
  wanted.forEach(visit);
  return [...ordered.values()];
}

/** What is known of a run before it begins: tasks with what they will probably take and need. */
export class RunPlan {
  readonly tasks: readonly ScheduledTask[];
  readonly capacity: Resources = machineResources();
  readonly #session: Session;
  readonly #durations: Durations;
  readonly #named: ReadonlyMap<string, Task>;
  readonly #usual: number;
  readonly #ended = new Set<string>();

  constructor(session: Session, tasks: readonly Task[]) {
    this.#session = session;
    this.#durations = readDurations(session.store.directory);
    this.#named = new Map(tasks.map((task) => [nameOf(task), task]));
    const { distribution } = session;
    const known = tasks.flatMap((task) => this.estimate(task) ?? []);
    this.#usual = known.length === 0 ? UNKNOWN_SECONDS : known.reduce((sum, one) => sum + one, 0) / known.length;
    this.tasks = tasks.map((task) => ({
      name: nameOf(task),
      before: TARGETS[task[0]].before(distribution, task[1]).map(nameOf),
      seconds: this.expected(task),
    }));
  }

  task(name: string): Task {
    return this.#named.get(name)!;
  }

  /** Seconds that a task will probably take; undefined when it was never done. */
  estimate(task: Task): number | undefined {
    return this.#history(task)?.seconds;
  }

  /** As `estimate`; for a task that was never done the mean of the others. */
  expected(task: Task): number {
    return this.estimate(task) ?? this.#usual;
  }

  needs([target, id]: Task): Resources {
    const { distribution } = this.#session;
    const own = target === 'rpm' || target === 'check' ? distribution.findPackage(id).settings?.resources : undefined;
    return taskResources({ own, usual: distribution.config.resources?.default }, this.#history([target, id]));
  }

  end(name: string): void {
    this.#ended.add(name);
  }

  /** Seconds until all is done: the longest chain, or the work of all cores; undefined when something was never done. */
  left(): number | undefined {
    const open = this.tasks.filter(({ name }) => !this.#ended.has(name));
    if (open.some(({ name }) => this.estimate(this.task(name)) === undefined)) return undefined;
    const longest = Math.max(0, ...remainingSeconds(open).values());
    const work = open.reduce((sum, { name, seconds }) => sum + seconds * this.needs(this.task(name)).cores, 0);
    return Math.max(longest, work / this.capacity.cores);
  }

  #history([target, id]: Task) {
    return this.#durations.estimate({ architecture: this.#session.distribution.config.architecture, target, id });
  }
}

/** Runs the tasks of the plan. A failure is no exception: it blocks what needs it, and everything else goes on. */
export async function runTasks(session: Session, options: TaskRunOptions): Promise<ScheduleResult> {
  const { reporter, plan, parallel, bail = false, onEnd } = options;
  const broker = new ResourceBroker({
    directory: defaultTokenDirectory(session.host.environment),
    capacity: plan.capacity,
    ...(parallel === undefined ? {} : { most: parallel }),
  });
  let built = 0;
  const end = (name: string, how: TaskEnd) => {
    if (how.outcome === 'built') built += 1;
    plan.end(name);
    onEnd?.(name, how);
  };
  session.trees.expect(checksOf(plan));
  const result = await runSchedule(plan.tasks, {
    window: WINDOW,
    bail,
    signal: session.host.signal,
    async run(name, turn) {
      const task = plan.task(name);
      const reported = reportedTask(task);
      reporter.begin(reported);
      try {
        const admit = admission(session, { task, turn, options, broker });
        const { outcome } = await session.run(...task, admit);
        const measurement = outcome === 'built' ? session.measurement(...task) : undefined;
        reporter.finish(reported, outcome, measurement);
        end(name, { outcome, measurement });
      } catch (error) {
        reporter.finish(reported, isStale(error) ? 'stale' : 'failed', session.measurement(...task));
        throw error;
      }
    },
    failed(failure) {
      end(failure.name, { outcome: 'failed', failure });
      for (const name of failure.blocks) {
        block(session, plan.task(name), { reporter, by: failure.name });
        end(name, { outcome: 'blocked', by: failure.name });
      }
    },
  }).finally(() => session.trees.removeAll(session.host));
  if (built > 0 && !session.host.signal.aborted) await trim(session, reporter);
  return result;
}

function checksOf(plan: RunPlan): string[] {
  const tasks = plan.tasks.map(({ name }) => plan.task(name));
  return tasks.filter(([target]) => target === 'check').map(([, id]) => id);
}

/** That the store could not be made smaller doesn't make a run fail. */
async function trim(session: Session, reporter: Reporter): Promise<void> {
  try {
    const report = await trimStore(session);
    if (report !== undefined) reporter.say(garbageLines(report).join('\n'));
  } catch (error) {
    const message = `the store could not be made smaller: ${(error as Error).message}`;
    session.host.emit({ type: 'notice', severity: 'warning', code: 'STORE_NOT_TRIMMED', message });
  }
}

function block(
  session: Session,
  [action, subject]: Task,
  { reporter, by }: { readonly reporter: Reporter; readonly by: string },
): void {
  logEvent(session.distribution.root, {
    ...{ type: 'action', action, subject, key: '', outcome: 'blocked', seconds: 0 },
    ...{ run: session.runName, blockedBy: by },
  });
  reporter.block({ action, subject });
}

/** Whether it says that what a task needs became something else than was planned. */
export function isStale(error: unknown): error is BuildError {
  return error instanceof BuildError && error.code === 'PLAN_STALE';
}

export function nameOf([target, id]: Task): string {
  return `${target}:${id}`;
}

export function reportedTask([target, id]: Task): ReportedTask {
  return { action: target, subject: id, log: TARGETS[target].log(id) };
}

interface AdmittedTask {
  readonly task: Task;
  readonly turn: { readonly priority: number; readonly admitted: () => void };
  readonly options: TaskRunOptions;
  readonly broker: ResourceBroker;
}

/** Work begins when the machine has what it needs; meanwhile the reporter says what is lacking. */
function admission(session: Session, { task, turn, options: { reporter, plan }, broker }: AdmittedTask): Admission {
  const reported = reportedTask(task);
  const need = plan.needs(task);
  const request = { what: nameOf(task), priority: turn.priority, seconds: plan.expected(task), ...need };
  return (work) => {
    const asked = session.host.now();
    return broker.withResources(
      request,
      () => {
        turn.admitted();
        reporter.start(reported);
        return work();
      },
      {
        signal: session.host.signal,
        onWait: (waiting) => {
          if (session.host.now() - asked >= WORTH_TELLING) reporter.wait(reported, waitingText(waiting, need));
        },
      },
    );
  };
}

/** `waiting for memory (needs 6.0 GB, 4.0 GB free)`. */
export function waitingText({ lack, free }: Waiting, need: Resources): string {
  switch (lack) {
    case 'memory':
      return `waiting for memory (needs ${formatMemory(need.memoryBytes)}, ${formatMemory(free.memoryBytes)} free)`;
    case 'cores':
      return `waiting for cores (needs ${need.cores.toFixed(1)}, ${free.cores.toFixed(1)} free)`;
    case 'turn':
      return 'waiting for its turn';
  }
}
