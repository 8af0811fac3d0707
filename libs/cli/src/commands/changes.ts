/** `kiln changes`: what packages provide differently than in their last build, and who asks for what is gone. */
import { packageChanges, Session, type PackageChanges } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';

export function addChanges(program: Command, context: () => CommandContext): void {
  program
    .command('changes')
    .description('list sonames, symbol versions and other capabilities that came and went since the last build')
    .argument('[package...]', 'only these (default: all that are built)')
    .option('--json', 'as JSON')
    .action((names: string[], { json = false }: { json?: boolean }) => changes(context(), names, json));
}

async function changes(context: CommandContext, names: readonly string[], json: boolean): Promise<void> {
  const distribution = await distributionOf(context);
  const session = new Session(distribution, hostOf(context));
  const wanted = names.length === 0 ? distribution.packages : names.map((name) => distribution.findPackage(name));
  const found: PackageChanges[] = [];
  for (const project of wanted) found.push(await packageChanges(session, project));
  const shown = names.length > 0 ? found : found.filter(({ before }) => before !== undefined);
  if (json) return print(context, JSON.stringify(shown, undefined, 2));
  for (const one of shown) for (const line of linesOf(one)) print(context, line);
}

function linesOf({ id, before, after, appeared, vanished, unmet }: PackageChanges): string[] {
  if (after === undefined) return [`${id}: not built`];
  if (before === undefined) return [`${id} ${after}: no other build is known`];
  const total = appeared.length + vanished.length + unmet.length;
  return [
    `${id} ${before} -> ${after}${total === 0 ? ': the same capabilities' : ''}`,
    ...vanished.map(({ kind, capability, package: owner }) => `  - ${kind} ${capability} (${owner})`),
    ...appeared.map(({ kind, capability, package: owner }) => `  + ${kind} ${capability} (${owner})`),
    ...unmet.map(
      ({ id: asking, package: owner, requirement }) =>
        `  ! ${asking}${owner === undefined ? ' to be built' : ` (${owner})`} requires ${requirement}`,
    ),
  ];
}
