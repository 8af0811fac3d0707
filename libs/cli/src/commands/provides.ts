/** `kiln provides`: records what built RPMs provide and require, so that plans are exact before building. */
import { recordProvides, Session } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';

export function addProvides(program: Command, context: () => CommandContext): void {
  program
    .command('provides [package...]')
    .description('record the generated provides and requires of built packages; of all when none is named')
    .action((names: string[]) => provides(context(), names));
}

async function provides(context: CommandContext, names: readonly string[]): Promise<void> {
  const distribution = await distributionOf(context);
  const projects = names.length === 0 ? distribution.packages : names.map((name) => distribution.findPackage(name));
  const recorded = await recordProvides(new Session(distribution, hostOf(context)), projects);
  for (const { id, file, outcome, changes } of recorded) {
    print(context, outcome === 'changed' ? `wrote ${file}` : `${id}: ${outcome}`);
    for (const change of changes) print(context, `  ${change}`);
  }
}
