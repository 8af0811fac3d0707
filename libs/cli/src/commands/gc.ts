/** `kiln gc`: makes the store smaller. */
import { BuildError } from '@kiln/diagnostics';
import { collectStoreGarbage, findWorkspaceRoot, loadDistribution, Session, usePlan } from '@kiln/distribution';
import { defaultStoreDirectory, parseSize, Store, storeLimit } from '@kiln/store';
import type { Command } from 'commander';
import { hostOf, print, type CommandContext } from '../context.ts';
import { garbageLines } from '../garbage-report.ts';

interface GcOptions {
  readonly sizeLimit?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addGc(program: Command, context: () => CommandContext): void {
  program
    .command('gc')
    .description('remove from the store what was not used for the longest time, until it is as small as its limit')
    .option(
      '--size-limit <size>',
      'for example 20G (default: KILN_STORE_LIMIT, or sizeLimit in config.json of the store)',
    )
    .option('--dry-run', 'only tell what would be removed')
    .option('--json', 'as JSON: sizes in bytes')
    .action((options: GcOptions) => gc(context(), options));
}

async function gc(context: CommandContext, { sizeLimit, dryRun = false, json }: GcOptions): Promise<void> {
  const host = hostOf(context, (event) => {
    if (event.type === 'notice') context.terminal.err.write(`kiln: ${event.message}\n`);
  });
  const store = new Store(host, defaultStoreDirectory(host.environment));
  const limit =
    sizeLimit === undefined
      ? await storeLimit(host.environment, store.directory)
      : parseSize(sizeLimit, '--size-limit');
  if (limit === undefined) {
    throw new BuildError('STORE_UNLIMITED', `nothing says how large the store ${store.directory} may be`, {
      hint: 'give a size: kiln gc --size-limit 20G; or set KILN_STORE_LIMIT',
    });
  }
  const root = workspaceRoot(context);
  if (root !== undefined) await usePlan(new Session(await loadDistribution(root), host, store));
  const report = await collectStoreGarbage(host, store, { limit, dryRun });
  if (json === true) return print(context, JSON.stringify({ dryRun, ...report }, undefined, 2));
  for (const line of garbageLines(report, { dryRun })) print(context, line);
}

/** Outside of workspaces there is no plan to spare. */
function workspaceRoot({ cwd }: CommandContext): string | undefined {
  try {
    return findWorkspaceRoot(cwd);
  } catch (error) {
    if (error instanceof BuildError && error.code === 'DISTRO_CONFIG_MISSING') return undefined;
    throw error;
  }
}
