/** `kiln lock-toolchain`: resolves the list of the toolchain's packages and writes their versions and digests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadDistribution, lockTreeRequirements, readDistroConfig, Session } from '@kiln/distribution';
import { writeFileAtomic, type Host } from '@kiln/host';
import { defaultStoreDirectory, Store } from '@kiln/store';
import { formatToolchainLock, lockDebianToolchain, parseDebianPackages } from '@kiln/toolchain';
import { hostOf, print, rootOf, type CommandContext } from '../context.ts';
import { prepareMachineFor } from '../machine.ts';
import { createReporter } from '../reporter.ts';

export function addLockToolchain(program: Command, context: () => CommandContext): void {
  program
    .command('lock-toolchain')
    .description(
      "resolve the packages of the toolchain, and of rpmlint's root, against the archive as it is now and write the locks",
    )
    .option('--requirements', 'only what specs ask for, with the toolchain debian-full')
    .action((options: LockOptions) => lockToolchain(context(), options));
}

interface LockOptions {
  readonly requirements?: boolean;
}

async function lockToolchain(context: CommandContext, options: LockOptions): Promise<void> {
  const root = rootOf(context);
  await prepareMachineFor(context, root);
  const { toolchain } = readDistroConfig(root);
  const { terminal } = context;
  const reporter = createReporter({ terminal, now: () => Date.now() });
  reporter.begin({ action: 'toolchain', subject: 'toolchain' });
  try {
    const host = hostOf(context, reporter.emit);
    if (options.requirements !== true) await lockBase(context, host);
    if (toolchain.requirements !== undefined || options.requirements === true) {
      const { file, lock } = await lockTreeRequirements(
        new Session(await loadDistribution(root, { isLocking: true }), host),
      );
      print(context, `wrote ${file}: ${lock.answers.size} capabilities by ${lock.packages.size} packages`);
      if (lock.unanswered.length > 0) print(context, `Debian has nothing for ${lock.unanswered.join(', ')}`);
    }
  } finally {
    reporter.end();
  }
}

async function lockBase(context: CommandContext, host: Host): Promise<void> {
  const root = rootOf(context);
  const { toolchain, lint } = readDistroConfig(root);
  const store = new Store(host, defaultStoreDirectory(host.environment));
  for (const files of [toolchain, ...(lint === undefined ? [] : [lint])]) {
    const packages = parseDebianPackages(readFileSync(join(root, files.packages), 'utf8'), files.packages);
    const lock = await lockDebianToolchain(host, store, packages);
    await writeFileAtomic(join(root, files.lock), formatToolchainLock(lock));
    print(context, `wrote ${files.lock}: ${lock.packages.length} packages`);
  }
}
