/**
 * Measures Nx over a workspace made of a checkout's specs: reading the graph with and without our cache of evaluations, with and
 * without the daemon, right after an edit, affected; in the same run Nx alone, with a plugin that only repeats ready-made projects.
 * At last a run of all packages when the store has them: specs that can't be planned are left out of that, and results are fakes.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeResults } from './fake-results.ts';
import { makeGraphWorkspace, REPLAY_PLUGIN, writeNxConfig } from './graph-workspace.ts';

export interface Measure {
  readonly name: string;
  /** Medians of the runs. CPU counts processes that have ended, so not the daemon. */
  readonly wall: number;
  readonly cpu: number;
  /** Largest resident memory of one process, in MB. */
  readonly megabytes: number;
  /** Wall seconds: what must be met, and what is aimed at. */
  readonly floor?: number;
  readonly target?: number;
}

export interface BenchOptions {
  readonly tree: string;
  readonly roots: readonly string[];
  readonly runs: number;
  /** Told of each measure when it is made. */
  readonly say: (measure: Measure) => void;
}

export interface GraphBench {
  readonly projects: number;
  readonly edges: number;
  readonly measures: readonly Measure[];
  /** Packages of the run of all tasks. */
  readonly cachedPackages: number;
  /** Load average at the start and at the end. */
  readonly load: readonly [number, number];
}

const REPOSITORY = join(import.meta.dirname, '../..');
const NX = join(REPOSITORY, 'node_modules/nx/dist/bin/nx.js');
const PLUGIN = join(REPOSITORY, 'libs/nx-plugin/plugin.cjs');
const SHOW = ['show', 'projects'];

/** What is measured: arguments of Nx, and what happens before each run. */
interface Case {
  readonly name: string;
  readonly floor?: number;
  readonly target?: number;
  readonly arguments: readonly string[];
  readonly before?: (workspace: string) => void;
  readonly daemon?: boolean;
}

const affected = (spec: string): string[] => ['show', 'projects', '--affected', `--files=${spec}`];
const reset = (workspace: string): void => rmSync(join(workspace, '.nx'), { recursive: true, force: true });
/** Nx's own files go, the cache of evaluations stays. */
const forget = (workspace: string): void =>
  rmSync(join(workspace, '.nx/workspace-data'), { recursive: true, force: true });
const edit = (workspace: string): void => appendFileSync(join(workspace, 'SPECS/zlib/zlib.spec'), '# an edit\n');

const REPLAYED: readonly Case[] = [
  { name: 'Nx alone (our projects and edges, ready-made), from nothing', arguments: SHOW, before: reset },
  { name: 'Nx alone, affected: glibc', arguments: affected('SPECS/glibc/glibc.spec') },
];

const OURS: readonly Case[] = [
  { name: 'no evaluation cache, no daemon (CI)', floor: 12, target: 8, arguments: SHOW, before: reset },
  { name: 'evaluation cache, no daemon', floor: 6, target: 4, arguments: SHOW, before: forget },
  { name: 'right after an edit, no daemon', floor: 4, target: 2.5, arguments: SHOW, before: edit },
  { name: 'affected: a leaf (SPECS/tree)', floor: 6, target: 4, arguments: affected('SPECS/tree/tree.spec') },
  { name: 'affected: glibc', floor: 6, target: 4, arguments: affected('SPECS/glibc/glibc.spec') },
  { name: 'daemon, warm', floor: 1.5, target: 1, arguments: SHOW, daemon: true },
  { name: 'daemon, right after an edit', floor: 4, target: 2.5, arguments: SHOW, before: edit, daemon: true },
];

/** All cases, one after the other. */
export async function benchGraph({ tree, roots, runs, say }: BenchOptions): Promise<GraphBench> {
  const before = loadAverage();
  const told = (one: Measure): Measure => (say(one), one);
  const workspace = await makeGraphWorkspace(tree, roots);
  try {
    writeNxConfig(workspace, PLUGIN);
    runOnce(workspace, ['graph', '--file=graph.json'], false);
    const { nodes, edges } = readGraph(workspace);
    writeFileSync(join(workspace, 'projects.json'), JSON.stringify(nodes));
    writeNxConfig(workspace, join(workspace, REPLAY_PLUGIN));
    const alone = REPLAYED.map((one) => told(measure(workspace, one, runs)));
    writeNxConfig(workspace, PLUGIN);
    reset(workspace);
    const ours = OURS.map((one) => told(measure(workspace, one, runs)));
    const { packages: cachedPackages, all } = await allCached(workspace, tree);
    runOnce(workspace, all.arguments, false);
    const measures = [...alone, ...ours, told(measure(workspace, all, runs))];
    return { projects: nodes.length, edges, cachedPackages, measures, load: [before, loadAverage()] };
  } finally {
    runOnce(workspace, ['daemon', '--stop'], true);
    rmSync(workspace, { recursive: true, force: true });
  }
}

/** The store of the workspace then has a result for every package. */
async function allCached(workspace: string, tree: string): Promise<{ readonly packages: number; readonly all: Case }> {
  const store = join(workspace, 'store');
  const { packages, without } = await fakeResults({ workspace, tree, store });
  const run = ['run-many', '-t', 'rpm', `--exclude=${without.join()}`];
  return { packages, all: { name: 'run-many -t rpm, all cached', floor: 15, target: 8, arguments: run } };
}

/** The projects as the replaying plugin gives them to Nx again, and the number of task edges among them. */
function readGraph(workspace: string): { readonly nodes: readonly object[]; readonly edges: number } {
  const { graph } = JSON.parse(readFileSync(join(workspace, 'graph.json'), 'utf8')) as {
    graph: { nodes: Record<string, { data: object }>; dependencies: Record<string, readonly object[]> };
  };
  const edges = Object.values(graph.dependencies).reduce((sum, list) => sum + list.length, 0);
  return { nodes: Object.values(graph.nodes).map(({ data }) => data), edges };
}

function measure(workspace: string, one: Case, runs: number): Measure {
  const daemon = one.daemon ?? false;
  if (daemon) runOnce(workspace, one.arguments, daemon);
  const made = Array.from({ length: runs }, () => {
    one.before?.(workspace);
    return runOnce(workspace, one.arguments, daemon);
  });
  const median = (pick: (run: Run) => number): number => made.map(pick).sort((a, b) => a - b)[Math.floor(runs / 2)]!;
  const { name, floor, target } = one;
  return {
    name,
    wall: median(({ wall }) => wall),
    cpu: median(({ cpu }) => cpu),
    megabytes: Math.max(...made.map(({ megabytes }) => megabytes)),
    ...(floor === undefined ? {} : { floor }),
    ...(target === undefined ? {} : { target }),
  };
}

interface Run {
  readonly wall: number;
  readonly cpu: number;
  readonly megabytes: number;
}

/** GNU time tells the costs of Nx and of the processes that it waited for. */
function runOnce(workspace: string, args: readonly string[], daemon: boolean): Run {
  const { stderr, status } = spawnSync('/usr/bin/time', ['-f', '\ntimed %e %U %S %M', process.execPath, NX, ...args], {
    cwd: workspace,
    encoding: 'utf8',
    // As the wrapper `nx` of this repository sets it.
    env: {
      ...process.env,
      NX_DAEMON: String(daemon),
      NX_ISOLATE_PLUGINS: 'false',
      CI: undefined,
      KILN_STORE: join(workspace, 'store'),
    },
    maxBuffer: 2 ** 28,
  });
  const timed = /timed ([\d.]+) ([\d.]+) ([\d.]+) (\d+)\s*$/.exec(stderr ?? '');
  if (status !== 0 || timed === null) throw new Error(`nx ${args.join(' ')} failed: ${(stderr ?? '').slice(0, 2000)}`);
  const [wall, user, system, kilobytes] = timed.slice(1).map(Number) as [number, number, number, number];
  return { wall, cpu: user + system, megabytes: Math.round(kilobytes / 1024) };
}

function loadAverage(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}
