/**
 * Real builds of packages of Azure Linux 3, drawn at random, on Debian's packages (toolchain `debian-full`), and their `%check`:
 * `npx tsx tools/conformance/build-azurelinux.ts --tree <azurelinux> --data <azurelinux-3.0-buildable-here.json.gz> [option]…`.
 *
 * `--commit <hash>`        the draw: order of the digests of commit and name (default: HEAD)
 * `--at-least <number>`    how many are built, of which at most half are modules of perl or python (default: 120)
 * `--hours <number>`       when to begin no more (default: 2)
 * `--minutes <number>`     time limit of one build (default: 25)
 * `--workers <number>`     builds at a time (default: 2)
 * `--sources <file>`       more lines for the lock of sources in the Debian archive
 * `--workspace <directory>` where it happens (default: azurelinux-trial in the directory for temporary files)
 * `--retry <cause or id>`  builds these again, or `all` that failed; others that have a result are left alone
 * `--reproduce`            builds what was built a second time under other conditions and compares
 * `--json`                 the figures for programs
 *
 * Results are appended to `dist/trial/<commit>.jsonl` of the workspace; a run goes on where the last one ended. Logs: `dist/logs`.
 */
import { parseArgs } from 'node:util';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { loadDistribution, type Distribution } from '@kiln/distribution';
import { drawPackages } from './draw-packages.ts';
import { latestResults, trialFigures, trialOutcome, type TrialResult } from './trial-results.ts';
import { recordGenerated } from './record-generated.ts';
import { runTrial } from './run-trial.ts';
import { prepareTrialWorkspace } from './trial-workspace.ts';

const OPTIONS = {
  tree: { type: 'string' },
  data: { type: 'string' },
  commit: { type: 'string' },
  'at-least': { type: 'string', default: '120' },
  hours: { type: 'string', default: '2' },
  minutes: { type: 'string', default: '25' },
  workers: { type: 'string', default: '2' },
  sources: { type: 'string' },
  workspace: { type: 'string', default: join(tmpdir(), 'azurelinux-trial') },
  retry: { type: 'string' },
  reproduce: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

/** Runs the trial and prints its result. */
export async function reportTrial(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const { tree, data, retry } = values;
  if (tree === undefined || data === undefined) throw new Error('--tree and --data are needed');
  const commit = values.commit ?? execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const count = Number(values['at-least']);
  const root = resolve(values.workspace);
  const minutes = Number(values.minutes);
  await prepareTrialWorkspace(root, { tree: resolve(tree), sources: values.sources });
  const distribution = await loadDistribution(root);
  const drawn = drawPackages(buildableIds(distribution, data), { commit, count });
  const file = join(root, 'dist', 'trial', `${commit}.jsonl`);
  const target = values.reproduce ? 'reproduce' : 'rpm';
  await recordGenerated(root, drawn.slice(0, count));
  await runTrial({
    root,
    file,
    target,
    ids: wantedIds(drawn.slice(0, count), latestResults(file), { target, retry }),
    workers: Number(values.workers),
    seconds: minutes * 60,
    until: Date.now() + Number(values.hours) * 3600_000,
  });
  const figures = trialFigures(drawn.slice(0, count), latestResults(file));
  if (values.json) console.log(JSON.stringify(figures, undefined, 2));
  else for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${JSON.stringify(value)}`);
}

/** Ids of the packages whose source files the Debian archive has, all of them. */
function buildableIds({ packages }: Distribution, data: string): string[] {
  const { fullySatisfiableAndFetchable } = JSON.parse(gunzipSync(readFileSync(data)).toString('utf8')) as {
    fullySatisfiableAndFetchable: Record<string, string[]>;
  };
  const names = new Map(
    Object.entries(fullySatisfiableAndFetchable).map(([specRoot, list]) => [specRoot, new Set(list)]),
  );
  return packages
    .filter(({ specRoot, specFile }) => names.get(specRoot)?.has(basename(specFile, '.spec')) === true)
    .map(({ id }) => id);
}

/** What has no result yet, and what is to be tried again. */
function wantedIds(
  drawn: readonly string[],
  results: ReadonlyMap<string, TrialResult>,
  { target, retry }: { readonly target: 'rpm' | 'reproduce'; readonly retry: string | undefined },
): string[] {
  return drawn.filter((id) => {
    const built = results.get(`rpm ${id}`);
    if (target === 'reproduce' && built?.outcome !== 'built') return false;
    const before = target === 'rpm' ? trialOutcome(id, results) : results.get(`${target} ${id}`);
    if (before === undefined) return true;
    if (retry === undefined || before.outcome === 'built') return false;
    return retry === 'all' || retry === before.cause || retry === id;
  });
}
