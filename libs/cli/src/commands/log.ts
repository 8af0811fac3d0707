/** `kiln log`: the log of a package's last build. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { TARGETS } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';

export function addLog(program: Command, context: () => CommandContext): void {
  program
    .command('log <package>')
    .description('print the log of the last build of a package')
    .option('--path', 'print only where it is')
    .action((name: string, { path }: { path?: boolean }) => showLog(context(), name, path === true));
}

async function showLog(context: CommandContext, name: string, onlyPath: boolean): Promise<void> {
  const distribution = await distributionOf(context);
  const { id } = distribution.findPackage(name);
  const path = TARGETS.rpm.log(id);
  if (onlyPath) return print(context, path);
  try {
    context.terminal.out.write(readFileSync(join(distribution.root, path)));
  } catch (cause) {
    throw new BuildError('LOG_MISSING', `there is no log of ${id}: ${path}`, {
      hint: `it is written when the package is built here: kiln build ${id}`,
      cause,
    });
  }
}
