/** What reading a checkout's specs costs through the cache of evaluations: filled, warm, with one edited spec. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeGraphWorkspace } from './graph-workspace.ts';

/** Of one process, without its start: seconds; `parts` are CPU seconds of what was repeated for its own sake. */
export interface CachedCost {
  readonly name: string;
  readonly specs: number;
  readonly evaluated: number;
  readonly wall: number;
  readonly cpu: number;
  readonly parts: { readonly readSpecs: number; readonly readCache: number; readonly parseAll: number };
  /** Size of the cache's file. */
  readonly megabytes: number;
  /** Whether all packages equal those of an evaluation without cache. */
  readonly same?: boolean;
}

const RUNS = 3;

/** The cheapest of several runs of each case. */
export async function measureCached(tree: string, roots: readonly string[]): Promise<CachedCost[]> {
  const workspace = await makeGraphWorkspace(tree, roots);
  try {
    const edit = (): void => appendFileSync(join(workspace, 'SPECS/zlib/zlib.spec'), '# an edit\n');
    rmSync(join(workspace, '.nx'), { recursive: true });
    const filled = run(workspace, 'cache filled');
    const cheapest = (name: string, before: () => void): CachedCost =>
      Array.from({ length: RUNS }, () => (before(), run(workspace, name))).sort((a, b) => a.cpu - b.cpu)[0]!;
    const warm = cheapest('cache warm', () => undefined);
    const edited = cheapest('one edited spec', edit);
    return [filled, warm, edited, run(workspace, 'cache warm, compared with no cache', ['--compare'])];
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

function run(workspace: string, name: string, more: readonly string[] = []): CachedCost {
  const child = fileURLToPath(new URL('evaluate-cached.ts', import.meta.url));
  const args = ['--import', 'tsx', child, '--workspace', workspace, ...more];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`evaluation failed: ${stderr.slice(-2000)}`);
  return { name, ...(JSON.parse(stdout) as Omit<CachedCost, 'name'>) };
}

/** One line per case. */
export function formatCached({ name, specs, evaluated, wall, cpu, parts, megabytes, same }: CachedCost): string {
  const detail = Object.entries(parts).map(([part, seconds]) => `${part} ${seconds.toFixed(2)}`);
  const verdict = same === undefined ? '' : same ? '; equal' : '; DIFFERENT';
  return `${name}: ${specs} specs, ${evaluated} evaluated, ${cpu.toFixed(2)} s CPU, ${wall.toFixed(2)} s wall, ${megabytes} MB (${detail.join(', ')})${verdict}`;
}
