/** `kiln lock-toolchain`: resolves the list of the toolchain's packages and writes their versions and digests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readDistroConfig } from '@kiln/distribution';
import { writeFileAtomic } from '@kiln/host';
import { defaultStoreDirectory, Store } from '@kiln/store';
import { formatToolchainLock, lockDebianToolchain, parseDebianPackages } from '@kiln/toolchain';
import { hostOf, print, rootOf, type CommandContext } from '../context.ts';
import { prepareMachineFor } from '../machine.ts';
import { createReporter } from '../reporter.ts';

export function addLockToolchain(program: Command, context: () => CommandContext): void {
  program
    .command('lock-toolchain')
    .description("resolve the toolchain's packages against the archive as it is now and write the lock")
    .action(() => lockToolchain(context()));
}

async function lockToolchain(context: CommandContext): Promise<void> {
  const root = rootOf(context);
  await prepareMachineFor(context, root);
  const { toolchain } = readDistroConfig(root);
  const { terminal } = context;
  const reporter = createReporter({ terminal, now: () => Date.now() });
  reporter.begin({ action: 'toolchain', subject: 'toolchain' });
  try {
    const host = hostOf(context, reporter.emit);
    const packages = parseDebianPackages(readFileSync(join(root, toolchain.packages), 'utf8'), toolchain.packages);
    const store = new Store(host, defaultStoreDirectory(host.environment));
    const lock = await lockDebianToolchain(host, store, packages);
    await writeFileAtomic(join(root, toolchain.lock), formatToolchainLock(lock));
    print(context, `wrote ${toolchain.lock}: ${lock.packages.length} packages`);
  } finally {
    reporter.end();
  }
}
