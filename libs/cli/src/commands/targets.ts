/** The commands that do what Nx's targets do: `build`, `rpm`, `check`, `image`, `repository`, `boot-test`, `toolchain`. */
import { BuildError } from '@kiln/diagnostics';
import { isBootable, logRun, Session, TOOLCHAIN_ORIGIN, type Distribution } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, hostOf, rootOf, type CommandContext } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { prepareMachineFor } from '../machine.ts';
import { RunTally, sceneOf, tellFailures } from '../run-report.ts';
import { isStale, runTasks, tasksInOrder, type Task } from '../run-tasks.ts';
import { setUpRun } from '../set-up-run.ts';
import { correctPlan, isFrozen, openBuildRequires, requireRecorded } from '../stale-plan.ts';
import { wholeNumber } from '../whole-number.ts';
import { openShell, requireTerminal } from './shell.ts';

export interface RunOptions {
  readonly parallel?: number;
  readonly frozen?: boolean;
  readonly bail?: boolean;
  readonly shell?: boolean;
}

type Selection = (distribution: Distribution, names: readonly string[]) => Task[];

const packages =
  (target: 'rpm' | 'check' | 'reproduce'): Selection =>
  (distribution, names) =>
    (names.length === 0 ? distribution.packages.map(({ id }) => id) : names).map((name): Task => [
      target,
      distribution.findPackage(name).id,
    ]);

const images =
  (target: 'image' | 'boot-test' | 'publish-image'): Selection =>
  (distribution, names) => {
    const all = distribution.images.filter((image) => target !== 'boot-test' || isBootable(image));
    const wanted = names.length === 0 ? all : names.map((name) => distribution.findImage(name));
    return wanted.map(({ name }): Task => [target, name]);
  };

export function addTargets(program: Command, context: () => CommandContext): void {
  const add = (usage: string, description: string, select: Selection): Command =>
    program
      .command(usage)
      .description(description)
      .option('-j, --parallel <count>', 'most tasks at once (default: as many as memory and cores allow)', wholeNumber)
      .option('--bail', 'begin nothing new after the first failure')
      .option(
        '--frozen',
        'fail when a build contradicts the recorded provides, instead of recording it (default in CI)',
      )
      .option('--no-frozen', 'correct records in CI too')
      .action(async (...given: unknown[]) => {
        const names = Array.isArray(given[0]) ? (given[0] as string[]) : [];
        const options = given[Array.isArray(given[0]) ? 1 : 0] as RunOptions;
        await runTargets(context(), (distribution) => select(distribution, names), options);
      });
  const addWithShell = (...given: Parameters<typeof add>) =>
    add(...given).option('--shell', 'after the first failure begin nothing new, and open a shell where it failed');
  addWithShell('build <package...>', 'build packages and what they need', packages('rpm'));
  addWithShell('rpm [package...]', 'build packages; all of them when none is named', packages('rpm'));
  addWithShell(
    'check [package...]',
    'run rpmlint and %check of packages; of all when none is named',
    packages('check'),
  );
  add(
    'reproduce [package...]',
    'build packages a second time and compare; all of them when none is named',
    packages('reproduce'),
  );
  add('image [image...]', 'make images; all of them when none is named', images('image'));
  add(
    'boot-test [image...]',
    'start images and check them: disks in a virtual machine, containers in a sandbox',
    images('boot-test'),
  );
  add(
    'publish-image [image...]',
    'sign the lists of checksums of images; of all when none is named',
    images('publish-image'),
  );
  add('repository', 'make the package repository', ({ config }) => [['repository', config.name]]);
  add('publish', 'sign the packages and the repository as others install from it', ({ config }) => [
    ['publish', config.name],
  ]);
  add('toolchain', 'prepare the toolchain', () => [['toolchain', TOOLCHAIN_ORIGIN]]);
}

/** How often a build may correct the plan. */
const PLANS = 10;

/** Runs what is selected of the workspace around the context's directory. @throws BuildError of the stage that fails, `TASKS_FAILED` */
export async function runTargets(
  context: CommandContext,
  select: (distribution: Distribution) => Task[],
  options: RunOptions,
): Promise<void> {
  const { parallel, shell = false, bail = shell } = options;
  if (shell) requireTerminal();
  const frozen = isFrozen(options, hostOf(context).environment);
  const root = rootOf(context);
  await prepareMachineFor(context, root);
  const limit = parallel === undefined ? {} : { parallel };
  for (let plan = 1; ; plan += 1) {
    const distribution = await distributionOf(context);
    const tasks = tasksInOrder(distribution, select(distribution));
    const open = await openBuildRequires(new Session(distribution, hostOf(context)), tasks);
    const chosen = open.length === 0 ? tasks : tasksInOrder(distribution, open);
    const stale = await runPlan(context, { distribution, tasks: chosen, bail, shell, ...limit }).then(
      () => undefined,
      (error: unknown) => {
        if (isStale(error)) return error;
        throw error;
      },
    );
    if (frozen) {
      if (stale !== undefined) throw stale;
      await requireRecorded(context, distribution, chosen);
    } else if (!(await correctPlan(context, distribution, chosen)) && stale !== undefined) throw stale;
    if (stale === undefined && open.length === 0) return;
    if (plan === PLANS) throw stale ?? endless();
  }
}

function endless(): BuildError {
  return new BuildError('PLAN_STALE', `after ${PLANS} plans %generate_buildrequires still asks for something new`, {
    hint: 'its answer must not depend on the time or on what it asked for before',
  });
}

interface PlannedRun {
  readonly distribution: Distribution;
  readonly tasks: readonly Task[];
  readonly parallel?: number;
  readonly bail: boolean;
  readonly shell: boolean;
}

/** @throws BuildError: the only failure, or `TASKS_FAILED` when several were told; one of a stale plan goes before all others. */
async function runPlan(
  context: CommandContext,
  { distribution, tasks, parallel, bail, shell }: PlannedRun,
): Promise<Session> {
  const { terminal, signal } = context;
  const { session, plan, reporter } = setUpRun({ terminal, signal, distribution, tasks });
  const tally = new RunTally(() => Date.now());
  try {
    const limit = parallel === undefined ? {} : { parallel };
    const result = await runTasks(session, { reporter, plan, bail, onEnd: tally.count, ...limit });
    const stale = result.failed.find(({ error }) => isStale(error));
    if (stale !== undefined) throw stale.error;
    const failure = tellFailures(result.failed, { fail: (text) => reporter.fail(text), isInterrupted: signal.aborted });
    reporter.say(tally.summary(result.left.length));
    logRun(distribution.root, tally.record(session.runName, ['kiln', ...process.argv.slice(2)].join(' ')));
    if (failure === undefined) return session;
    const scene = shell && !signal.aborted ? sceneOf(result.failed) : undefined;
    if (scene !== undefined) {
      reporter.fail(describeFailure(failure));
      reporter.end();
      await openShell(context, scene.id, { fresh: false, ofCheck: scene.target === 'check' });
    }
    throw failure;
  } finally {
    reporter.end();
  }
}
