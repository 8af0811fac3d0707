/**
 * What evaluating every spec of a checkout of Azure Linux costs, in the same run as rpmspec on a sample of them:
 * `npx tsx tools/bench/evaluate.ts --tree <azurelinux> [--rpm <directory>] [--rpmspec <rpmspec>] [--sample 60] [--json]`.
 *
 * Ours is one new process that reads the environment and every spec, without any cache of evaluations: once running the shell
 * commands of the specs, once with their output from a file, as a recording gives it. rpmspec is measured as the distribution's
 * toolkit uses it (six calls per spec) and with one `-P` per spec; both are extrapolated from the sample. Then a workspace of the
 * same specs is read through the cache of evaluations (see evaluate-cached-cost.ts). CPU is user and
 * system time with all child processes; on a loaded machine it says more than wall time.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { specsBelow } from '../azurelinux/macro-environment/evaluate-tree.ts';
import { Random } from '../fuzz/random.ts';
import { formatCached, measureCached, type CachedCost } from './evaluate-cached-cost.ts';

/** Seconds and bytes. */
export interface Cost {
  readonly specs: number;
  readonly cpu: number;
  readonly wall: number;
  readonly memory?: number;
}

const OPTIONS = {
  tree: { type: 'string' },
  rpm: { type: 'string', default: '/usr/lib/rpm' },
  rpmspec: { type: 'string', default: 'rpmspec' },
  sample: { type: 'string', default: '60' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
} as const;

const ROOTS = ['SPECS', 'SPECS-EXTENDED', 'SPECS-SIGNED'];

/** The toolkit's calls per spec: name, architectures twice, packages, build requirements, check section. */
const TOOLKIT_CALLS: readonly (readonly string[])[] = [
  ['-q', '--srpm', '--qf', '%{NEVRA}\\n'],
  ['-q', '--srpm', '--qf', '[%{EXCLUSIVEARCH} ]\\n'],
  ['-q', '--srpm', '--qf', '[%{EXCLUDEARCH} ]\\n'],
  ['-q', '--builtrpms', '--qf', '[%{PROVIDES}\\n][%{REQUIRES}\\n]'],
  ['-q', '--buildrequires'],
  ['-P'],
];

/** Measures and prints. */
export async function benchmark(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.tree === undefined) throw new Error('--tree is missing: the checkout of Azure Linux');
  const tree = values.tree;
  const specs = ROOTS.flatMap((root) => specsBelow(tree, root));
  const random = new Random(Number(values.seed));
  const sample = Array.from({ length: Number(values.sample) }, () => random.pick(specs));
  const directory = mkdtempSync(join(tmpdir(), 'kiln-bench-'));
  try {
    const answers = join(directory, 'answers.json');
    const runningCommands = measureOurs(['--tree', tree, '--rpm', values.rpm, '--record', answers]);
    const recorded = measureOurs(['--tree', tree, '--rpm', values.rpm, '--answers', answers]);
    const toolkit = measureRpm(values.rpmspec, { tree, sample, calls: TOOLKIT_CALLS });
    const parse = measureRpm(values.rpmspec, { tree, sample, calls: [['-P']] });
    const cached = await measureCached(tree, ROOTS);
    report(values.json, { runningCommands, recorded, toolkit, parse, cached, specs: specs.length });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function measureOurs(args: readonly string[]): Cost {
  const child = fileURLToPath(new URL('evaluate-all.ts', import.meta.url));
  const started = performance.now();
  const { stdout, stderr } = spawnSync(
    'bash',
    ['-c', '"$@"; times', 'bash', process.execPath, '--import', 'tsx', child, ...args],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const [first = ''] = stdout.split('\n');
  if (!first.startsWith('{')) throw new Error(`evaluation failed: ${stderr.slice(-2000)}`);
  const wall = (performance.now() - started) / 1000;
  return { ...(JSON.parse(first) as { specs: number; memory: number }), cpu: cpuOf(stdout), wall };
}

/** bash counts the CPU time of its children, and theirs. */
function measureRpm(
  rpmspec: string,
  { tree, sample, calls }: { tree: string; sample: readonly string[]; calls: readonly (readonly string[])[] },
): Cost {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = sample.flatMap((path) => {
    const file = join(tree, path);
    const defines = ['with_check 0', 'dist .azl3', 'azl 3', `_sourcedir ${dirname(file)}`].flatMap((define) => [
      '-D',
      define,
    ]);
    return calls.map((call) => [rpmspec, ...call, '--target', 'x86_64', ...defines, file].map(quote).join(' '));
  });
  const script = `${lines.map((line) => `${line} >/dev/null 2>&1`).join('\n')}\ntimes`;
  const started = performance.now();
  const { stdout } = spawnSync('bash', ['-s'], { input: script, encoding: 'utf8' });
  const wall = (performance.now() - started) / 1000;
  return { specs: sample.length, cpu: cpuOf(stdout), wall };
}

/** The sum of what bash's `times` prints: user and system time of the shell and of its children. */
function cpuOf(output: string): number {
  const times = [...output.matchAll(/(\d+)m([\d.]+)s/g)];
  return times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

function report(
  json: boolean,
  costs: {
    specs: number;
    runningCommands: Cost;
    recorded: Cost;
    toolkit: Cost;
    parse: Cost;
    cached: readonly CachedCost[];
  },
): void {
  const { specs, runningCommands, recorded, toolkit, parse, cached } = costs;
  const all = (cost: Cost): number => (cost.cpu / cost.specs) * specs;
  const ratios = { toolkit: all(toolkit) / recorded.cpu, parse: all(parse) / recorded.cpu };
  if (json) {
    console.log(JSON.stringify({ ...costs, ratios, load: readLoad() }));
    return;
  }
  const line = (name: string, { specs: count, cpu, wall, memory }: Cost): void => {
    const perSpec = ((cpu / count) * 1000).toFixed(2);
    const megabytes = memory === undefined ? '' : `, ${(memory / 1e6).toFixed(0)} MB`;
    console.log(
      `${name}: ${count} specs, ${cpu.toFixed(1)} s CPU (${perSpec} ms per spec), ${wall.toFixed(1)} s wall${megabytes}`,
    );
  };
  line('evaluation, commands run', runningCommands);
  line('evaluation, commands recorded', recorded);
  line('rpmspec, six calls per spec', toolkit);
  line('rpmspec -P', parse);
  for (const one of cached) console.log(formatCached(one));
  console.log(
    `less CPU by a factor of ${ratios.toolkit.toFixed(0)} (six calls), ${ratios.parse.toFixed(0)} (-P); load ${readLoad()}`,
  );
}

function readLoad(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0]!;
}
