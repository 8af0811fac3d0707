/** `kiln blockers`: broken packages by how much they block. */
import { isBroken } from '@kiln/distribution';
import { dependentsOf, type SourceGraph } from '@kiln/package-graph';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';
import { formatDigraph } from '../digraph.ts';
import { formatTable } from '../table.ts';
import { graphOf } from './dependents.ts';

interface BlockersOptions {
  readonly json?: boolean;
  readonly dot?: boolean;
}

export function addBlockers(program: Command, context: () => CommandContext): void {
  program
    .command('blockers')
    .description("list the packages that can't be built, those first that block the most others")
    .option('--json', 'as JSON')
    .option('--dot', 'as a graph for Graphviz: from each package to those that it blocks')
    .action((options: BlockersOptions) => blockers(context(), options));
}

async function blockers(context: CommandContext, { json, dot }: BlockersOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const graph = graphOf(distribution);
  const found = distribution.packages
    .filter(isBroken)
    .map(({ id, diagnostics }) => {
      const problem = diagnostics.find(({ severity }) => severity === 'error')!;
      return { package: id, code: problem.code, message: problem.message, blocked: dependentsOf(graph, id) };
    })
    .sort((a, b) => b.blocked.length - a.blocked.length || (a.package < b.package ? -1 : 1));
  if (json === true) return print(context, JSON.stringify(found, undefined, 2));
  if (dot === true) return print(context, dotOf(graph, found));
  const rows = found.map((one) => [one.package, String(one.blocked.length), one.code, one.message]);
  if (rows.length > 0) print(context, formatTable([['package', 'blocks', 'code', 'message'], ...rows]));
  context.terminal.err.write(`${found.length} of ${distribution.packages.length} packages can't be built\n`);
}

/** With the packages in between. */
function dotOf(
  graph: SourceGraph,
  found: readonly { readonly package: string; readonly code: string; readonly blocked: readonly string[] }[],
): string {
  const nodes = new Map(found.map((one) => [one.package, { color: 'red', xlabel: one.code }]));
  const shown = new Set([...nodes.keys(), ...found.flatMap(({ blocked }) => blocked)]);
  const edges = [...shown].flatMap((id) =>
    graph
      .inNeighbors(id)
      .filter((one) => shown.has(one))
      .sort()
      .map((one) => ({ from: id, to: one })),
  );
  return formatDigraph('blockers', nodes, edges);
}
