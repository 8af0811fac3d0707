/** `kiln why`: the chain of requirements by which a package needs another one to be built. */
import { BuildError } from '@kiln/diagnostics';
import { createUniverse, TOOLCHAIN_ORIGIN, type Distribution, type PackageProject } from '@kiln/distribution';
import { explainMember, resolveClosure, type WhyStep } from '@kiln/package-graph';
import { formatDependency } from '@kiln/rpm-package';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';

export function addWhy(program: Command, context: () => CommandContext): void {
  program
    .command('why')
    .description(
      'say why a package needs another one to be built: the packages between them and the exact capabilities',
    )
    .argument('<package>', 'the package that is built')
    .argument('<other>', 'the package that it needs')
    .option('--json', 'as JSON')
    .action((from: string, to: string, { json }: { json?: boolean }) =>
      why(context(), { from, to, json: json === true }),
    );
}

interface Question {
  readonly from: string;
  readonly to: string;
  readonly json: boolean;
}

interface Answer {
  /** The packages from the first to the one whose build root has the other one: more than one where run-time needs aren't recorded. */
  readonly through: readonly string[];
  readonly steps: readonly WhyStep[];
}

async function why(context: CommandContext, { from, to, json }: Question): Promise<void> {
  const distribution = await distributionOf(context);
  const [project, other] = [distribution.findPackage(from), distribution.findPackage(to)];
  const answer = findAnswer(distribution, project, other.id);
  if (answer === undefined) {
    throw new BuildError('NOT_NEEDED', `${project.id} can be built without ${other.id}`, {
      hint: `kiln dependents ${other.id} lists the packages that need it`,
    });
  }
  const steps = answer.steps.map(({ requiredBy, requirement, satisfiedBy }) => ({
    requiredBy: requiredBy?.name ?? `${answer.through.at(-1)!} (BuildRequires)`,
    requirement: formatDependency(requirement),
    satisfiedBy: satisfiedBy.name,
    of: satisfiedBy.origin,
  }));
  if (json) return print(context, JSON.stringify({ through: answer.through, steps }, undefined, 2));
  if (answer.through.length > 1) {
    print(
      context,
      `${answer.through.join(' -> ')}: until the run-time needs of a package are recorded, its build root counts`,
    );
  }
  for (const { requiredBy, requirement, satisfiedBy, of } of steps) {
    print(context, `${requiredBy} needs '${requirement}': ${satisfiedBy} of ${of}`);
  }
}

/** Breadth first over build roots: of the package itself, then of the packages without a record in it. */
function findAnswer(distribution: Distribution, start: PackageProject, target: string): Answer | undefined {
  const { buildIndex } = createUniverse(distribution.packages, distribution.toolchain.provider);
  const through = new Map([[start.id, [start.id]]]);
  for (const [id, path] of through) {
    const roots = distribution.findPackage(id).sourcePackage?.buildRequires ?? [];
    const { members } = resolveClosure(buildIndex, roots, { preferredOrigin: TOOLCHAIN_ORIGIN });
    const isTarget = ({ origin }: { readonly origin: string }): boolean => origin === target;
    const steps = explainMember(buildIndex, { roots, members, isTarget, preferredOrigin: TOOLCHAIN_ORIGIN });
    if (steps !== undefined) return { through: path, steps };
    for (const { origin } of members) {
      if (origin === TOOLCHAIN_ORIGIN || through.has(origin)) continue;
      if (distribution.findPackage(origin).record === undefined) through.set(origin, [...path, origin]);
    }
  }
  return undefined;
}
