/** `kiln plan`: what a build would do, in its order, and how long it would take. */
import { availableParallelism } from 'node:os';
import {
  isBroken,
  readDurations,
  Session,
  type Distribution,
  type PackageProject,
  type TargetName,
} from '@kiln/distribution';
import { isAmbiguous } from '@kiln/package-graph';
import { buildGenerations, createSourceGraph } from '@kiln/package-graph';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';
import { formatDuration } from '../duration.ts';
import { expectedTime, type ExpectedTime } from '../expected-time.ts';
import { tasksInOrder, type Task } from '../run-tasks.ts';
import { formatDigraph } from '../digraph.ts';
import { formatTable } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';

/**
 * `cached`: its result is in the store. `will build`: everything before it is done and it isn't. `may build`: something before it
 * will be built first, and only then its identity is known. `blocked`: it, or something before it, is broken.
 */
type Prospect = 'cached' | 'will build' | 'may build' | 'blocked';

interface PlannedTask {
  readonly task: string;
  readonly package: string;
  /** Packages of one step can be built at the same time; counted from 1. */
  readonly step: number;
  readonly prospect: Prospect;
  /** What it took before; missing when it was never done. */
  readonly seconds?: number;
  readonly before: readonly string[];
  /** Where several packages could be taken: which one, and why. */
  readonly choices: PackageProject['choices'];
  /** What the plan of this package rests on although no build has shown it. */
  readonly predictions: PackageProject['predictions'];
}

interface PlanOptions {
  readonly json?: boolean;
  readonly dot?: boolean;
  readonly parallel: number;
}

export function addPlan(program: Command, context: () => CommandContext): void {
  program
    .command('plan')
    .description(
      'list what a build of packages would do, in its order: cached, will build, may build, blocked; and the expected time',
    )
    .argument('[package...]', 'only these and what they need (default: all)')
    .option('-j, --parallel <count>', 'workers to expect', wholeNumber, availableParallelism())
    .option('--json', 'as JSON, with the reasons of choices and the predictions')
    .option('--dot', 'as a graph for Graphviz')
    .action((names: string[], options: PlanOptions) => plan(context(), names, options));
}

async function plan(context: CommandContext, names: readonly string[], options: PlanOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const wanted = names.length === 0 ? distribution.packages : names.map((name) => distribution.findPackage(name));
  const session = new Session(distribution, hostOf(context));
  const tasks = await planTasks(session, wanted);
  const { time, unknown } = timeOf(tasks, options.parallel);
  if (options.json === true) return print(context, JSON.stringify({ tasks, time, unknown }, undefined, 2));
  if (options.dot === true) return print(context, dotOf(tasks));
  if (tasks.length > 0) print(context, formatTable(tasks.map(rowOf)));
  const counts = (['cached', 'will build', 'may build', 'blocked'] as const).map(
    (prospect) => `${tasks.filter((one) => one.prospect === prospect).length} ${prospect}`,
  );
  context.terminal.err.write(`${counts.join(', ')}\n${timeText(time, unknown)}`);
}

async function planTasks(session: Session, wanted: readonly PackageProject[]): Promise<PlannedTask[]> {
  const { distribution, store } = session;
  const { architecture } = distribution.config;
  const durations = readDurations(store.directory);
  const tasks = tasksInOrder(
    distribution,
    wanted.map(({ id }): Task => ['rpm', id]),
  ).filter(([target]) => target !== 'toolchain');
  const known = new Map(tasks.map((task) => [nameOf(task), task]));
  const graph = createSourceGraph(new Map(tasks.map((task) => [nameOf(task), beforeOf(distribution, task)])));
  const blocked = new Set<string>();
  const planned: PlannedTask[] = [];
  for (const [at, generation] of buildGenerations(graph).entries()) {
    for (const name of generation) {
      const [target, id] = known.get(name)!;
      const project = projectOf(distribution, [target, id]);
      const before = beforeOf(distribution, [target, id]);
      if (isBroken(project) || before.some((one) => blocked.has(one))) blocked.add(name);
      const seconds = durations.estimate({ architecture, target, id })?.seconds;
      planned.push({
        task: name,
        package: id,
        step: at + 1,
        prospect: blocked.has(name) ? 'blocked' : await prospectOf(session, [target, id]),
        ...(seconds === undefined ? {} : { seconds }),
        before,
        choices: project.choices,
        predictions: project.predictions,
      });
    }
  }
  return planned;
}

function projectOf(distribution: Distribution, [target, id]: Task): PackageProject {
  const project = distribution.findPackage(id);
  return target === 'rpm-bootstrap' ? project.bootstrap! : project;
}

function beforeOf(distribution: Distribution, task: Task): string[] {
  const { dependencies, bootstrapDependencies } = projectOf(distribution, task);
  return [
    ...dependencies.map((id) => nameOf(['rpm', id])),
    ...bootstrapDependencies.map((id) => nameOf(['rpm-bootstrap', id])),
  ];
}

function nameOf([target, id]: readonly [TargetName, string]): string {
  return `${target}:${id}`;
}

/** A plan that builds contradict is settled when they are done. */
async function prospectOf(session: Session, [target, id]: Task): Promise<Prospect> {
  try {
    const { key, result } = await session.state(target, id);
    if (result !== undefined) return 'cached';
    return key === undefined ? 'may build' : 'will build';
  } catch {
    return 'may build';
  }
}

/** A task that was never done counts as long as the median of the others. */
function timeOf(
  tasks: readonly PlannedTask[],
  workers: number,
): { readonly time: ExpectedTime; readonly unknown: number } {
  const open = tasks.filter(({ prospect }) => prospect === 'will build' || prospect === 'may build');
  const known = open.flatMap(({ seconds }) => seconds ?? []).sort((a, b) => a - b);
  const median = known[Math.floor(known.length / 2)] ?? 0;
  const scheduled = open.map(({ task, before, seconds = median }) => ({ name: task, before, seconds }));
  return { time: expectedTime(scheduled, workers), unknown: open.length - known.length };
}

function rowOf({ step, prospect, task, seconds, choices, predictions }: PlannedTask): string[] {
  const ambiguous = choices
    .filter(isAmbiguous)
    .map(({ dependency, chosen }) => `${dependency} by ${chosen} (ambiguous)`);
  const guessed = predictions.map(({ capability, package: by }) => `${capability} by ${by} (predicted)`);
  const time = seconds === undefined ? '' : formatDuration(seconds);
  return [String(step), prospect, time, task.replace(/^rpm:/, ''), [...ambiguous, ...guessed].join(', ')];
}

function timeText({ seconds, workers, criticalPath }: ExpectedTime, unknown: number): string {
  if (criticalPath.tasks.length === 0) return '';
  const guesses = unknown === 0 ? '' : `; ${unknown} were never built here and count as the median`;
  const path = criticalPath.tasks.map((task) => task.replace(/^rpm:/, ''));
  return (
    `about ${formatDuration(seconds)} with ${workers} workers if all are built${guesses}\n` +
    `critical path ${formatDuration(criticalPath.seconds)}: ${path.join(' -> ')}\n`
  );
}

const COLORS: Readonly<Record<Prospect, string>> = {
  cached: 'gray',
  'will build': 'green',
  'may build': 'orange',
  blocked: 'red',
};

function dotOf(tasks: readonly PlannedTask[]): string {
  const nodes = new Map(tasks.map(({ task, prospect }) => [task, { color: COLORS[prospect] }]));
  const edges = tasks.flatMap(({ task, before }) => before.map((one) => ({ from: task, to: one })));
  return formatDigraph('plan', nodes, edges);
}
