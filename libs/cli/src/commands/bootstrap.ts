/** `kiln bootstrap`: a toolchain from source: stage A's root, its RPMs, and the proof that they make themselves. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { BuildError } from '@kiln/diagnostics';
import {
  BOOTSTRAP_ROOT,
  bootstrapPlan,
  compareRounds,
  makeRoundWorkspace,
  memberPackages,
  openStore,
  ROUND_MANIFEST,
  roundRequest,
  roundWorkspace,
  Session,
  type BootstrapRound,
  type Distribution,
} from '@kiln/distribution';
import { writeFileAtomic } from '@kiln/host';
import { lockBootstrap, parseToolchainManifest, refuseForeignTraces } from '@kiln/toolchain';
import { distributionOf, hostOf, print, rootOf, type CommandContext } from '../context.ts';
import { prepareMachineFor } from '../machine.ts';
import { createReporter } from '../reporter.ts';
import { wholeNumber } from '../whole-number.ts';
import { showSteps, writeResults } from './bootstrap-results.ts';
import { runTargets } from './targets.ts';
import { updateManifest } from './toolchain-manifest.ts';

const STAGES = ['A', 'B', 'C'] as const;
type Stage = (typeof STAGES)[number];

/** What a stage does after those before it. */
const ROUNDS_OF: Readonly<Record<Stage, readonly BootstrapRound[]>> = { A: [], B: ['seeded', 'self'], C: ['proof'] };

interface BootstrapOptions {
  readonly stage?: string;
  readonly plan?: boolean;
  readonly lock?: boolean;
  readonly results?: string;
  readonly export?: string;
  readonly sign?: boolean;
  readonly parallel?: number;
}

export function addBootstrap(program: Command, context: () => CommandContext): void {
  program
    .command('bootstrap')
    .description(
      'make a toolchain from source: A: cross and temporary tools, B: its RPMs, built by themselves, C: built once more and compared',
    )
    .option('--stage <stage>', 'go no further than A, B or C', 'C')
    .option('--plan', 'list the steps of stage A with where each comes from: done here, from results, to be built')
    .option('--lock', 'write what the root of stage A offers into its lock')
    .option('--results <place>', 'take what others have made from this directory or address, where identities match')
    .option('--export <directory>', 'write what was made here for others, as --results takes it')
    .option('--sign', 'sign what --export writes, with the key that toolkit/distro.json names')
    .option('-j, --parallel <count>', 'most tasks at once (default: as many as memory and cores allow)', wholeNumber)
    .action((options: BootstrapOptions) => bootstrap(withResults(context(), options.results), options));
}

/** A directory is relative to where the command was started. */
function withResults(context: CommandContext, place: string | undefined): CommandContext {
  if (place === undefined) return context;
  return { ...context, results: place.includes('://') ? place : resolve(context.cwd, place) };
}

async function bootstrap(context: CommandContext, options: BootstrapOptions): Promise<void> {
  const last = STAGES.find((stage) => stage === options.stage);
  if (last === undefined) {
    throw new BuildError('BOOTSTRAP_STAGE_UNKNOWN', `'${String(options.stage)}' is no stage of a bootstrap`, {
      hint: `the stages are ${STAGES.join(', ')}`,
    });
  }
  if (options.sign === true && options.export === undefined) {
    throw new BuildError('NOTHING_TO_SIGN', "'--sign' signs what '--export' writes, and there is none", {
      hint: 'name the directory: kiln bootstrap --export <directory> --sign',
    });
  }
  const distribution = await distributionOf(context);
  // A mistake in what the rounds shall make is told now, not after the hours of stage A.
  if (last !== 'A') memberPackages(distribution, bootstrapPlan(distribution));
  if (options.plan === true) return showSteps(context, distribution);
  if (options.export !== undefined)
    return writeResults(context, distribution, { directory: options.export, sign: options.sign === true });
  if (options.lock === true) return writeLock(context, distribution);
  const limit = options.parallel === undefined ? {} : { parallel: options.parallel };
  await runTargets(context, () => [['stage-a', BOOTSTRAP_ROOT]], limit);
  for (const stage of STAGES.slice(1, STAGES.indexOf(last) + 1))
    for (const round of ROUNDS_OF[stage]) await runRound(context, { distribution, round, limit });
  if (last === 'C') tellDifferences(context);
}

interface RoundRun {
  readonly distribution: Distribution;
  readonly round: BootstrapRound;
  readonly limit: { readonly parallel?: number };
}

/** Builds the members in the round's workspace and writes the manifest of their RPMs. */
async function runRound(context: CommandContext, { distribution, round, limit }: RoundRun): Promise<void> {
  const { root, config } = distribution;
  const plan = bootstrapPlan(distribution);
  const place = await makeRoundWorkspace(root, round);
  const inRound = { ...context, cwd: place };
  const own = await distributionOf(inRound);
  const members = memberPackages(own, plan);
  if (round !== 'seeded') await checkTools(context, own);
  print(context, `round ${round}: ${members.length} packages in ${place}`);
  await runTargets(inRound, () => members.map((id) => ['rpm', id]), { frozen: false, ...limit });
  const manifest = join(place, ROUND_MANIFEST);
  await mkdir(dirname(manifest), { recursive: true });
  await writeFileAtomic(manifest, roundRequest(config.architecture, plan));
  await updateManifest(inRound, ROUND_MANIFEST, {});
}

/** What the round before has built is looked through for traces of the host. @throws BuildError `FOREIGN_TRACES` */
async function checkTools(context: CommandContext, distribution: Distribution): Promise<void> {
  const { layer, readManifest } = await new Session(distribution, hostOf(context)).toolchain();
  refuseForeignTraces(layer, await readManifest());
}

/** Tells each RPM that is another one when the toolchain is built by itself once more. */
function tellDifferences(context: CommandContext): void {
  const manifestOf = (round: BootstrapRound) => {
    const file = join(roundWorkspace(rootOf(context), round), ROUND_MANIFEST);
    return parseToolchainManifest(readFileSync(file, 'utf8'), file);
  };
  const { equal, differing } = compareRounds(manifestOf('self'), manifestOf('proof'));
  const all = equal + differing.length;
  print(context, `${equal} of ${all} RPMs are equal when the toolchain is built by itself once more`);
  for (const { nevra, what } of differing) print(context, `! ${nevra} ${what}`);
}

async function writeLock(context: CommandContext, distribution: Distribution): Promise<void> {
  const { root, config } = distribution;
  const lock = config.toolchain.provider === 'bootstrap' ? config.toolchain.lock : config.bootstrap?.lock;
  const plan = bootstrapPlan(distribution);
  await prepareMachineFor(context, root);
  const reporter = createReporter({ terminal: context.terminal, now: () => Date.now() });
  reporter.begin({ action: 'bootstrap', subject: BOOTSTRAP_ROOT });
  try {
    const host = hostOf(context, reporter.emit);
    const store = openStore(host, distribution);
    await writeFileAtomic(join(root, lock!), await lockBootstrap(host, store, plan));
    print(context, `wrote ${lock}`);
  } finally {
    reporter.end();
  }
}
