/** `kiln log`: the log of a package's last build. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { BuildError, printable } from '@kiln/diagnostics';
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
    const { out } = context.terminal;
    for await (const text of createReadStream(join(distribution.root, path), 'utf8') as AsyncIterable<string>)
      out.write(out.isTTY ? printable(text) : text);
  } catch (cause) {
    throw new BuildError('LOG_MISSING', `there is no log of ${id}: ${path}`, {
      hint: `it is written when that is done here: kiln ${target} ${id}`,
      cause,
    });
  }
}
