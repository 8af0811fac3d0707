/** `kiln why`: the chain of requirements by which a package needs another one to be built. */
import { BuildError } from '@kiln/diagnostics';
import {
  createUniverse,
  examineRoot,
  TOOLCHAIN_ORIGIN,
  type Distribution,
  type ExaminedRoot,
  type PackageProject,
  type Universe,
} from '@kiln/distribution';
import { explainMember, type Choice, type WhyStep } from '@kiln/package-graph';
import { formatDependency } from '@kiln/rpm-package';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';
import { formatDigraph } from '../digraph.ts';

interface WhyOptions {
  readonly json?: boolean;
  readonly dot?: boolean;
}

export function addWhy(program: Command, context: () => CommandContext): void {
  program
    .command('why')
    .description(
      'say why a package needs another one to be built: the packages between them, the exact capabilities, and why each was chosen',
    )
    .argument('<package>', 'the package that is built')
    .argument('<other>', 'the package that it needs')
    .option('--json', 'as JSON')
    .option('--dot', 'as a graph for Graphviz')
    .action((from: string, to: string, options: WhyOptions) => why(context(), [from, to], options));
}

interface Answer {
  /** The packages from the first to the one whose build root has the other one: more than one where run-time needs aren't recorded. */
  readonly through: readonly string[];
  readonly steps: readonly WhyStep[];
  readonly root: ExaminedRoot;
}

/** One requirement of the chain, as it is shown. */
interface ToldStep {
  readonly requiredBy: string;
  readonly requirement: string;
  readonly satisfiedBy: string;
  readonly of: string;
  /** Why it was taken when there were several. */
  readonly choice?: Pick<Choice, 'reason' | 'others'>;
  /** What it was concluded from, when no build has shown that it provides this. */
  readonly predictedFrom?: string;
}

async function why(context: CommandContext, [from, to]: readonly [string, string], options: WhyOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const [project, other] = [distribution.findPackage(from), distribution.findPackage(to)];
  const universe = createUniverse(distribution.packages, distribution.toolchain.provider);
  const answer = findAnswer({ distribution, universe }, project, other.id);
  if (answer === undefined) {
    throw new BuildError('NOT_NEEDED', `${project.id} can be built without ${other.id}`, {
      hint: `kiln dependents ${other.id} lists the packages that need it`,
    });
  }
  const { through } = answer;
  const steps = answer.steps.map((step) => tell(step, answer, universe));
  if (options.json === true) return print(context, JSON.stringify({ through, steps }, undefined, 2));
  if (options.dot === true) return print(context, dotOf(through, steps));
  if (through.length > 1) {
    print(
      context,
      `${through.join(' -> ')}: until the run-time needs of a package are recorded, its build root counts`,
    );
  }
  const { dim } = context.terminal.colors;
  for (const step of steps) {
    print(
      context,
      `${step.requiredBy} needs '${step.requirement}': ${step.satisfiedBy} of ${step.of}${dim(notesOf(step))}`,
    );
  }
}

/** Breadth first over build roots: of the package itself, then of the packages without a record in it. */
function findAnswer(
  { distribution, universe }: { readonly distribution: Distribution; readonly universe: Universe },
  start: PackageProject,
  target: string,
): Answer | undefined {
  const through = new Map([[start.id, [start.id]]]);
  for (const [id, path] of through) {
    const root = examineRoot(distribution, universe, distribution.findPackage(id));
    const { index, requirements: roots, closure } = root;
    const { members } = closure;
    const isTarget = ({ origin }: { readonly origin: string }): boolean => origin === target;
    const steps = explainMember(index, { roots, members, isTarget, preferredOrigin: TOOLCHAIN_ORIGIN });
    if (steps !== undefined) return { through: path, steps, root };
    for (const { origin } of members) {
      const isPackage = distribution.packages.some((one) => one.id === origin);
      if (!isPackage || through.has(origin)) continue;
      if (distribution.findPackage(origin).record?.packages === undefined) through.set(origin, [...path, origin]);
    }
  }
  return undefined;
}

function tell(
  { requiredBy, requirement, satisfiedBy }: WhyStep,
  { through, root }: Answer,
  universe: Universe,
): ToldStep {
  const text = formatDependency(requirement);
  const choice = root.closure.choices.find(
    ({ dependency, chosen }) => dependency === text && chosen === satisfiedBy.name,
  );
  const predictions = universe.predictions.get(`${satisfiedBy.origin} ${satisfiedBy.name}`) ?? [];
  const predicted = predictions.find(({ capability }) => capability === requirement.name);
  return {
    requiredBy: requiredBy?.name ?? `${through.at(-1)!} (BuildRequires)`,
    requirement: text,
    satisfiedBy: satisfiedBy.name,
    of: satisfiedBy.origin,
    ...(choice === undefined ? {} : { choice: { reason: choice.reason, others: choice.others } }),
    ...(predicted === undefined ? {} : { predictedFrom: `${predicted.rule} '${predicted.evidence}'` }),
  };
}

function notesOf({ choice, predictedFrom }: ToldStep): string {
  const notes = [
    ...(choice === undefined ? [] : [`${choice.reason}, rather than ${choice.others.join(', ')}`]),
    ...(predictedFrom === undefined ? [] : [`predicted from ${predictedFrom}`]),
  ];
  return notes.length === 0 ? '' : `  (${notes.join('; ')})`;
}

function dotOf(through: readonly string[], steps: readonly ToldStep[]): string {
  const first = through.slice(1).map((id, at) => ({ from: through[at]!, to: id, attributes: { label: 'build root' } }));
  const chain = steps.map(({ requiredBy, requirement, satisfiedBy, predictedFrom }) => ({
    from: requiredBy.replace(/ \(BuildRequires\)$/, ''),
    to: satisfiedBy,
    attributes: { label: requirement, ...(predictedFrom === undefined ? {} : { style: 'dashed' }) },
  }));
  return formatDigraph('why', new Map(), [...first, ...chain]);
}
