/** `kiln log`: the log of a package's last build. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { TARGETS } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';

interface LogOptions {
  readonly path?: boolean;
  readonly check?: boolean;
}

export function addLog(program: Command, context: () => CommandContext): void {
  program
    .command('log <package>')
    .description('print the log of the last build of a package')
    .option('--path', 'print only where it is')
    .option('--check', 'of the last %check instead')
    .action((name: string, options: LogOptions) => showLog(context(), name, options));
}

async function showLog(context: CommandContext, name: string, { path: onlyPath, check }: LogOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const { id } = distribution.findPackage(name);
  const target = check === true ? 'check' : 'rpm';
  const path = TARGETS[target].log(id);
  if (onlyPath === true) return print(context, path);
  try {
    context.terminal.out.write(readFileSync(join(distribution.root, path)));
  } catch (cause) {
    throw new BuildError('LOG_MISSING', `there is no log of ${id}: ${path}`, {
      hint: `it is written when that is done here: kiln ${target} ${id}`,
      cause,
    });
  }
}
