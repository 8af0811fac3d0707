/** What `kiln bootstrap` tells of its steps, and writes for other stores. */
import { join, resolve } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import {
  bootstrapPlan,
  bootstrapResults,
  configuredResults,
  DISTRO_FILE,
  exportResults,
  openStore,
  roundOrigins,
  ROUNDS,
  type Distribution,
} from '@kiln/distribution';
import { stepLayerKey } from '@kiln/toolchain';
import { hostOf, print, type CommandContext } from '../context.ts';
import { createReporter } from '../reporter.ts';
import { formatTable } from '../table.ts';

/** Where a step comes from when the bootstrap runs. */
const ORIGINS = { done: 'done here', taken: 'from results', built: 'to be built' } as const;

interface Counts {
  readonly done: number;
  readonly taken: number;
  readonly built: number;
}

/** `12 of 40 steps done here, 20 from results, 8 to be built`. */
function told({ done, taken, built }: Counts, { what, hasResults }: { what: string; hasResults: boolean }): string {
  const all = `${done} of ${done + taken + built} ${what} done here`;
  return [all, ...(hasResults ? [`${taken} from results`] : []), `${built} to be built`].join(', ');
}

/** Lists the steps of stage A with where each comes from, then how many there are of each kind, and of the builds of the rounds. */
export async function showSteps(context: CommandContext, distribution: Distribution): Promise<void> {
  const { steps } = bootstrapPlan(distribution);
  const host = hostOf(context);
  const store = openStore(host, distribution);
  const results = configuredResults(host, distribution);
  const counts = { done: 0, taken: 0, built: 0 };
  const rows: string[][] = [];
  for (const step of steps) {
    const key = stepLayerKey(step);
    const isTaken = () => results?.hasLayer(store, key) ?? Promise.resolve(false);
    const origin = (await store.useLayer(key)) ? 'done' : (await isTaken()) ? 'taken' : 'built';
    counts[origin] += 1;
    rows.push([step.name, ORIGINS[origin], step.root, step.identity.slice(0, 12), step.needs.join(' ')]);
  }
  print(context, formatTable([['step', 'state', 'runs in', 'identity', 'after'], ...rows]));
  const hasResults = results !== undefined;
  print(context, told(counts, { what: 'steps', hasResults }));
  const origins = await roundOrigins(host, store, distribution);
  for (const one of origins) print(context, `round ${one.round}: ${told(one, { what: 'builds', hasResults })}`);
  const next = ROUNDS[origins.length];
  if (next !== undefined) print(context, `round ${next}: not begun`);
}

export interface ExportOptions {
  /** Relative to the directory that the command was started in. */
  readonly directory: string;
  readonly sign: boolean;
}

/** Writes what was made for other stores. @throws BuildError `RESULTS_NONE`, `SIGNING_*`, `DISK_FULL` */
export async function writeResults(
  context: CommandContext,
  distribution: Distribution,
  { directory: given, sign }: ExportOptions,
): Promise<void> {
  const key = sign ? { key: signingKey(distribution) } : {};
  const task = { action: 'bootstrap', subject: 'bootstrap' } as const;
  const reporter = createReporter({ terminal: context.terminal, now: () => Date.now() });
  reporter.begin(task);
  try {
    const host = hostOf(context, reporter.emit);
    const store = openStore(host, distribution);
    const results = await bootstrapResults(host, store, distribution);
    const directory = resolve(context.cwd, given);
    const { results: written, bytes } = await exportResults(host, store, {
      directory,
      results,
      ...key,
      onProgress: (done, { subject }) =>
        host.emit({
          type: 'progress',
          ...task,
          message: `writing ${subject}`,
          done,
          total: results.length,
          unit: 'steps',
        }),
    });
    const steps = written.filter(({ action }) => action === 'bootstrap-step').length;
    const megabytes = (bytes / 1e6).toFixed(0);
    print(context, `wrote ${given}: ${steps} steps, ${written.length - steps} builds of packages, ${megabytes} MB`);
  } finally {
    reporter.end();
  }
}

/** @throws BuildError `SIGNING_KEY_MISSING` where no key is named. */
function signingKey({ root, config: { results, signing } }: Distribution) {
  const named = results?.signedBy ?? signing;
  if (named !== undefined) return { fingerprint: named.key, publicKeyFile: join(root, named.publicKey) };
  throw new BuildError('SIGNING_KEY_MISSING', `${DISTRO_FILE} names no key that results could be signed with`, {
    location: { file: DISTRO_FILE, line: 1 },
    hint: 'name it as "signedBy" of "results" (docs/toolchains.md)',
  });
}
