/** `kiln cycles`: packages that need one another to be built. */
import { createUniverse, TOOLCHAIN_ORIGIN, type Distribution } from '@kiln/distribution';
import {
  createSourceGraph,
  findCycles,
  formatDot,
  originsBeside,
  relateSources,
  shortestCycle,
  type SourceGraph,
} from '@kiln/package-graph';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';

interface CyclesOptions {
  readonly json?: boolean;
  readonly dot?: boolean;
}

export function addCycles(program: Command, context: () => CommandContext): void {
  program
    .command('cycles')
    .description('list the groups of packages that need one another to be built, each with its shortest cycle')
    .option('--json', 'as JSON')
    .option('--dot', 'as a graph for Graphviz')
    .action((options: CyclesOptions) => cycles(context(), options));
}

async function cycles(context: CommandContext, { json, dot }: CyclesOptions): Promise<void> {
  const graph = buildRootGraph(await distributionOf(context));
  const found = findCycles(graph).map((members) => ({ members, shortest: shortestCycle(graph, members) }));
  if (json === true) return print(context, JSON.stringify(found, undefined, 2));
  if (dot === true) return print(context, formatDot(graph, new Set(found.flatMap(({ members }) => members))));
  for (const { members, shortest } of found)
    print(context, `${members.length} packages: ${shortest.join(' -> ')}\n  ${members.join(' ')}`);
  context.terminal.err.write(found.length === 1 ? '1 cycle\n' : `${found.length} cycles\n`);
}

/** What each build root has, cycles included: in a plan, packages in a cycle have no dependencies. */
function buildRootGraph({ packages, toolchain }: Distribution): SourceGraph {
  const { buildIndex } = createUniverse(packages, toolchain.provider);
  const sources = packages.map(({ id, sourcePackage }) => ({ id, buildRequires: sourcePackage?.buildRequires ?? [] }));
  const relations = relateSources(sources, buildIndex, { preferredOrigin: TOOLCHAIN_ORIGIN });
  return createSourceGraph(
    new Map(
      relations.map(({ id, closure }) => {
        const others = originsBeside(id, closure.members).filter((origin) => origin !== TOOLCHAIN_ORIGIN);
        return [id, closure.members.some(({ origin }) => origin === id) ? [...others, id] : others];
      }),
    ),
  );
}
