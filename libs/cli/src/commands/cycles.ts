/** `kiln cycles`: packages that need one another to be built, and how to break them. */
import { plannedRoots, proposeBootstrap, seedOf, Session } from '@kiln/distribution';
import { createSourceGraph, findCycles, formatDot, shortestCycle } from '@kiln/package-graph';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';

interface CyclesOptions {
  readonly json?: boolean;
  readonly dot?: boolean;
  readonly propose?: boolean;
  readonly seed?: readonly string[];
}

export function addCycles(program: Command, context: () => CommandContext): void {
  program
    .command('cycles')
    .description(
      'list the groups of packages that need one another to be built and that toolkit/bootstrap.json does not break, each with its shortest cycle',
    )
    .option('--json', 'as JSON')
    .option('--dot', 'as a graph for Graphviz')
    .option('--propose', 'print a toolkit/bootstrap.json that breaks them')
    .option('--seed <rpm...>', "put RPMs into the store and print what an edge from 'seed' says of them")
    .action((options: CyclesOptions) => cycles(context(), options));
}

async function cycles(context: CommandContext, { json, dot, propose, seed }: CyclesOptions): Promise<void> {
  const distribution = await distributionOf(context);
  if (seed !== undefined) {
    const { store } = new Session(distribution, hostOf(context));
    return print(context, toJson(await Promise.all(seed.map((path) => seedOf(store, path)))));
  }
  if (propose === true) return print(context, toJson(await proposeBootstrap(distribution)));
  const roots = plannedRoots(distribution);
  const found = findCycles(roots).map((members) => ({ members, shortest: shortestCycle(roots, members) }));
  if (json === true) return print(context, toJson(found));
  if (dot === true)
    return print(context, formatDot(createSourceGraph(roots), new Set(found.flatMap(({ members }) => members))));
  for (const { members, shortest } of found)
    print(context, `${members.length} packages: ${shortest.join(' -> ')}\n  ${members.join(' ')}`);
  context.terminal.err.write(found.length === 1 ? '1 cycle\n' : `${found.length} cycles\n`);
}

function toJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
