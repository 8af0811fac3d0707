/** `kiln blockers`: broken packages by how much they block. */
import { isBroken } from '@kiln/distribution';
import { dependentsOf } from '@kiln/package-graph';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';
import { formatTable } from '../table.ts';
import { graphOf } from './dependents.ts';

export function addBlockers(program: Command, context: () => CommandContext): void {
  program
    .command('blockers')
    .description("list the packages that can't be built, those first that block the most others")
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => blockers(context(), json === true));
}

async function blockers(context: CommandContext, json: boolean): Promise<void> {
  const distribution = await distributionOf(context);
  const graph = graphOf(distribution);
  const found = distribution.packages
    .filter(isBroken)
    .map(({ id, diagnostics }) => {
      const problem = diagnostics.find(({ severity }) => severity === 'error')!;
      return { package: id, code: problem.code, message: problem.message, blocked: dependentsOf(graph, id) };
    })
    .sort((a, b) => b.blocked.length - a.blocked.length || (a.package < b.package ? -1 : 1));
  if (json) return print(context, JSON.stringify(found, undefined, 2));
  const rows = found.map((one) => [one.package, String(one.blocked.length), one.code, one.message]);
  if (rows.length > 0) print(context, formatTable([['package', 'blocks', 'code', 'message'], ...rows]));
  context.terminal.err.write(`${found.length} of ${distribution.packages.length} packages can't be built\n`);
}
