/** `kiln unresolved`: requirements that nothing in the tree satisfies. */
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';

export function addUnresolved(program: Command, context: () => CommandContext): void {
  program
    .command('unresolved')
    .description('list the requirements that nothing in the tree provides, with the place where they are written')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => unresolved(context(), json === true));
}

async function unresolved(context: CommandContext, json: boolean): Promise<void> {
  const { packages } = await distributionOf(context);
  const found = packages.flatMap(({ id, specFile, diagnostics }) =>
    diagnostics
      .filter(({ code }) => code === 'DEPENDENCY_UNRESOLVED')
      .map(({ message, location, hint }) => ({
        package: id,
        file: location?.file ?? specFile,
        line: location?.line,
        message,
        hint,
      })),
  );
  if (json) return print(context, JSON.stringify(found, undefined, 2));
  for (const { file, line, message } of found)
    print(context, `${file}${line === undefined ? '' : `:${line}`}: ${message}`);
  const count = new Set(found.map((one) => one.package)).size;
  context.terminal.err.write(`${found.length} unresolved requirements in ${count} packages\n`);
}
