/** `kiln lock-toolchain`: resolves the list of the toolchain's packages and writes their versions and digests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { BuildError } from '@kiln/diagnostics';
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
      'resolve the packages of the toolchain, and of the roots of rpmlint, image tools and boot tools, against the archive as it is now and write the locks',
    )
    .argument('[list...]', 'only these lists of packages, as toolkit/distro.json names them')
    .option('--requirements', 'only what specs ask for, with the toolchain debian-full')
    .action((lists: string[], options: LockOptions) => lockToolchain(context(), lists, options));
}

interface LockOptions {
  readonly requirements?: boolean;
}

async function lockToolchain(context: CommandContext, lists: readonly string[], options: LockOptions): Promise<void> {
  const root = rootOf(context);
  await prepareMachineFor(context, root);
  const { toolchain } = readDistroConfig(root);
  const { terminal } = context;
  const reporter = createReporter({ terminal, now: () => Date.now() });
  reporter.begin({ action: 'toolchain', subject: 'toolchain' });
  try {
    const host = hostOf(context, reporter.emit);
    if (options.requirements !== true) await lockRoots(context, host, lists);
    if ((toolchain.provider === 'debian-full' && lists.length === 0) || options.requirements === true) {
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

async function lockRoots(context: CommandContext, host: Host, lists: readonly string[]): Promise<void> {
  const root = rootOf(context);
  const { toolchain, lint, imageTools, bootTools } = readDistroConfig(root);
  const base = 'packages' in toolchain ? toolchain : undefined;
  const all = [base, lint, imageTools, bootTools].filter((one) => one !== undefined);
  const unknown = lists.find((list) => all.every(({ packages }) => packages !== list));
  if (unknown !== undefined) {
    throw new BuildError('TOOLCHAIN_LIST_UNKNOWN', `'${unknown}' is no list of packages of this distribution`, {
      hint: `use some of: ${all.map(({ packages }) => packages).join(', ')}`,
    });
  }
  const store = new Store(host, defaultStoreDirectory(host.environment));
  for (const files of all) {
    if (lists.length > 0 && !lists.includes(files.packages)) continue;
    const packages = parseDebianPackages(readFileSync(join(root, files.packages), 'utf8'), files.packages);
    const lock = await lockDebianToolchain(host, store, packages);
    await writeFileAtomic(join(root, files.lock), formatToolchainLock(lock));
    print(context, `wrote ${files.lock}: ${lock.packages.length} packages`);
  }
}
