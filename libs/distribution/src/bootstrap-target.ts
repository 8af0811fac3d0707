/** The targets of a toolchain from source: its steps, and the root that they end with. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, nearestWord } from '@kiln/diagnostics';
import {
  bootstrapLogs,
  bootstrapRootIdentity,
  doStep,
  loadBootstrapPlan,
  makeBootstrapRoot,
  readBootstrapSteps,
  type BootstrapPlan,
  type BootstrapStep,
  type PlannedStep,
} from '@kiln/toolchain';
import type { Distribution } from './distribution.ts';
import type { Target } from './targets.ts';

/** Id of the task `stage-a`. */
export const BOOTSTRAP_ROOT = 'toolchain';

export const bootstrapStepTarget: Target = {
  before: (distribution, id) =>
    stepNamed(bootstrapSteps(distribution), id).needs.map((name) => ['bootstrap-step', name] as const),

  key: ({ distribution }, id) => Promise.resolve(findStep(distribution, id).step.identity),

  async build({ host, store, distribution }, id) {
    const { plan, step } = findStep(distribution, id);
    await doStep(host, store, { plan, step, run: { logs: bootstrapLogs(distribution.root) } });
    return { outputs: {}, facts: { identity: step.identity } };
  },

  showAs: (_, id, output) => join('dist', 'bootstrap', id, output),
  log: (id) => join('dist', 'logs', 'bootstrap', `${id}.log`),
};

export const stageATarget: Target = {
  before: (distribution) => bootstrapSteps(distribution).map(({ name }) => ['bootstrap-step', name] as const),

  key: ({ distribution }) => Promise.resolve(bootstrapRootIdentity(bootstrapPlan(distribution))),

  async build({ host, store, distribution }) {
    const { root } = await makeBootstrapRoot(host, store, { plan: bootstrapPlan(distribution), action: 'stage-a' });
    return { outputs: {}, facts: { root } };
  },

  showAs: (_, __, output) => join('dist', 'bootstrap', output),
  log: () => join('dist', 'logs', 'bootstrap', 'root.log'),
};

/** Each after those that it needs; none when the distribution has no toolchain from source. */
export function bootstrapSteps(distribution: Distribution): readonly BootstrapStep[] {
  const file = stepsFile(distribution);
  if (file === undefined) return [];
  const known = tables.get(distribution);
  if (known !== undefined) return known;
  const { steps } = readBootstrapSteps(distribution.root, file);
  tables.set(distribution, steps);
  return steps;
}

const tables = new WeakMap<Distribution, readonly BootstrapStep[]>();

/** The table of steps, relative to the workspace; undefined where it isn't there and nothing is built with it. */
export function stepsFile({ root, config }: Pick<Distribution, 'root' | 'config'>): string | undefined {
  const file = namedSteps(config);
  return config.toolchain.provider === 'bootstrap' || (file !== undefined && existsSync(join(root, file)))
    ? file
    : undefined;
}

function namedSteps({ toolchain, bootstrap }: Distribution['config']): string | undefined {
  return toolchain.provider === 'bootstrap' ? toolchain.steps : bootstrap?.steps;
}

const plans = new WeakMap<Distribution, BootstrapPlan>();

/** @throws BuildError `BOOTSTRAP_UNSET` and those of `loadBootstrapPlan` */
export function bootstrapPlan(distribution: Distribution): BootstrapPlan {
  const { toolchain, root, config } = distribution;
  if (toolchain.kind === 'bootstrap') return toolchain.plan;
  const file = namedSteps(config);
  if (file === undefined) {
    throw new BuildError('BOOTSTRAP_UNSET', 'the distribution has no toolchain from source', {
      hint: "name its table of steps and its lock as 'bootstrap' in toolkit/distro.json",
    });
  }
  const known = plans.get(distribution);
  if (known !== undefined) return known;
  const plan = loadBootstrapPlan(root, file);
  plans.set(distribution, plan);
  return plan;
}

function findStep(distribution: Distribution, name: string): { plan: BootstrapPlan; step: PlannedStep } {
  const plan = bootstrapPlan(distribution);
  return { plan, step: stepNamed(plan.steps, name) };
}

/** @throws BuildError `BOOTSTRAP_STEP_UNKNOWN` */
function stepNamed<Step extends { readonly name: string }>(steps: readonly Step[], name: string): Step {
  const step = steps.find((one) => one.name === name);
  if (step !== undefined) return step;
  const near = nearestWord(
    name,
    steps.map((one) => one.name),
  );
  throw new BuildError('BOOTSTRAP_STEP_UNKNOWN', `there is no step '${name}'`, {
    hint: near === undefined ? 'list the steps with `kiln bootstrap --plan`' : `did you mean '${near}'?`,
  });
}
