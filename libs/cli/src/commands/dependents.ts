/** `kiln dependents`: what may have to be built again when a package changes. */
import { createSourceGraph, dependentsOf, formatDot, type SourceGraph } from '@kiln/package-graph';
import type { Distribution } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';

interface DependentsOptions {
  readonly direct?: boolean;
  readonly json?: boolean;
  readonly dot?: boolean;
}

export function addDependents(program: Command, context: () => CommandContext): void {
  program
    .command('dependents')
    .description('list the packages that need a package to be built, and those that need these')
    .argument('<package>')
    .option('--direct', 'only those that have it in their build root')
    .option('--json', 'as JSON')
    .option('--dot', 'as a graph for Graphviz')
    .action((name: string, options: DependentsOptions) => dependents(context(), name, options));
}

/** The packages of the tree and what each has in its build root. */
export function graphOf({ packages }: Distribution): SourceGraph {
  return createSourceGraph(new Map(packages.map(({ id, dependencies }) => [id, dependencies])));
}

async function dependents(context: CommandContext, name: string, options: DependentsOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const { id } = distribution.findPackage(name);
  const graph = graphOf(distribution);
  const found = options.direct === true ? graph.inNeighbors(id).sort() : dependentsOf(graph, id);
  if (options.json === true) return print(context, JSON.stringify(found, undefined, 2));
  if (options.dot === true) return print(context, formatDot(graph, new Set([id, ...found])));
  for (const one of found) print(context, one);
  context.terminal.err.write(`${found.length} of ${distribution.packages.length} packages need ${id}\n`);
}
