/** `kiln plan`: what a build would do, in its order. */
import { isBroken, Session, type Distribution, type PackageProject } from '@kiln/distribution';
import { buildGenerations, createSourceGraph } from '@kiln/package-graph';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';
import { formatTable } from '../table.ts';

/**
 * `cached`: its result is in the store. `will build`: everything before it is done and it isn't. `may build`: something before it
 * will be built first, and only then its identity is known. `blocked`: it, or something before it, is broken.
 */
type Prospect = 'cached' | 'will build' | 'may build' | 'blocked';

interface PlannedTask {
  readonly package: string;
  /** Packages of one step can be built at the same time; counted from 1. */
  readonly step: number;
  readonly prospect: Prospect;
}

export function addPlan(program: Command, context: () => CommandContext): void {
  program
    .command('plan')
    .description('list what a build of packages would do, in its order: cached, will build, may build, blocked')
    .argument('[package...]', 'only these and what they need (default: all)')
    .option('--json', 'as JSON')
    .action((names: string[], { json }: { json?: boolean }) => plan(context(), names, json === true));
}

async function plan(context: CommandContext, names: readonly string[], json: boolean): Promise<void> {
  const distribution = await distributionOf(context);
  const wanted = names.length === 0 ? distribution.packages : names.map((name) => distribution.findPackage(name));
  const tasks = await planTasks(new Session(distribution, hostOf(context)), withNeeded(distribution, wanted));
  if (json) return print(context, JSON.stringify(tasks, undefined, 2));
  if (tasks.length > 0) print(context, formatTable(tasks.map((one) => [String(one.step), one.prospect, one.package])));
  const counts = (['cached', 'will build', 'may build', 'blocked'] as const).map(
    (prospect) => `${tasks.filter((one) => one.prospect === prospect).length} ${prospect}`,
  );
  context.terminal.err.write(`${counts.join(', ')}\n`);
}

function withNeeded(distribution: Distribution, wanted: readonly PackageProject[]): PackageProject[] {
  const ids = new Set(wanted.flatMap(({ id, dependencies }) => [id, ...dependencies]));
  for (const id of ids) for (const dependency of distribution.findPackage(id).dependencies) ids.add(dependency);
  return distribution.packages.filter(({ id }) => ids.has(id));
}

async function planTasks(session: Session, packages: readonly PackageProject[]): Promise<PlannedTask[]> {
  const byId = new Map(packages.map((one) => [one.id, one]));
  const graph = createSourceGraph(new Map(packages.map(({ id, dependencies }) => [id, dependencies])));
  const blocked = new Set<string>();
  const tasks: PlannedTask[] = [];
  for (const [at, generation] of buildGenerations(graph).entries()) {
    for (const id of generation) {
      const project = byId.get(id)!;
      if (isBroken(project) || project.dependencies.some((one) => blocked.has(one))) blocked.add(id);
      const prospect = blocked.has(id) ? 'blocked' : await prospectOf(session, id);
      tasks.push({ package: id, step: at + 1, prospect });
    }
  }
  return tasks;
}

async function prospectOf(session: Session, id: string): Promise<Prospect> {
  const { key, result } = await session.state('rpm', id);
  if (result !== undefined) return 'cached';
  return key === undefined ? 'may build' : 'will build';
}
