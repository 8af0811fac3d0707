/**
 * Random changes of a copy of a workspace; what `kiln affected` says may rebuild must be what a naive recomputation says:
 * `npx tsx tools/conformance/affected.ts --tree <workspace> [--changes 200] [--seed 1] [--packages <count>] [--json]`.
 *
 * `--packages`  only so many packages of the workspace, chosen by the seed, with their directories
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BuildError } from '@kiln/diagnostics';
import { comparePlans, loadDistribution, planKeys, type Distribution } from '@kiln/distribution';
import { bruteForce, rawTasks } from './brute-force.ts';
import { CHANGES, randomNumbers } from './tree-changes.ts';

export interface AffectedFigures {
  readonly changes: number;
  readonly byKind: Readonly<Record<string, number>>;
  /** Tasks that may rebuild, over all changes. */
  readonly selected: number;
  readonly differences: readonly AffectedDifference[];
}

export interface AffectedDifference {
  readonly change: string;
  /** Selected by keys alone. */
  readonly tooMany: readonly string[];
  /** Selected by the recomputation alone. */
  readonly missing: readonly string[];
}

export interface AffectedOptions {
  readonly tree: string;
  readonly changes: number;
  readonly seed: number;
  readonly packages?: number;
  /** What is checked: plan keys by task; another one to see that a wrong one is found. */
  readonly keysOf?: typeof planKeys;
}

const DEFAULT_CHANGES = 200;

export async function reportAffected(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tree: { type: 'string', default: process.cwd() },
      changes: { type: 'string', default: String(DEFAULT_CHANGES) },
      seed: { type: 'string', default: '1' },
      packages: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const figures = await checkAffected({
    tree: values.tree,
    changes: Number(values.changes),
    seed: Number(values.seed),
    ...(values.packages === undefined ? {} : { packages: Number(values.packages) }),
  });
  if (values.json) return console.log(JSON.stringify(figures, undefined, 2));
  const { changes, selected, differences } = figures;
  console.log(`${changes} changes, ${selected} tasks selected, ${differences.length} changes with differences`);
  for (const { change, tooMany, missing } of differences)
    console.log(`${change}\n  too many: ${tooMany.join(' ')}\n  missing: ${missing.join(' ')}`);
}

/** Each change is made to the tree that the one before it left, every tenth to the original again. */
export async function checkAffected({
  tree,
  changes,
  seed,
  packages,
  keysOf = planKeys,
}: AffectedOptions): Promise<AffectedFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'kiln-affected-'));
  const random = randomNumbers(seed);
  const kinds = Object.entries(CHANGES);
  const byKind: Record<string, number> = {};
  const differences: AffectedDifference[] = [];
  let [done, selected, tries] = [0, 0, 0];
  const copy = join(directory, 'tree');
  const restore = (): void => {
    rmSync(copy, { recursive: true, force: true });
    copyTree(tree, copy, { seed, packages });
  };
  try {
    let before: State | undefined;
    while (done < changes && tries < changes * 10) {
      tries += 1;
      if (before === undefined || done % RESTORE_AFTER === RESTORE_AFTER - 1) {
        restore();
        before = stateOf(await loadDistribution(copy), keysOf);
      }
      const [kind, change] = kinds[Math.floor(random() * kinds.length)]!;
      const what = change(copy, random);
      if (what === undefined) continue;
      const after = await loadState(copy, keysOf);
      if (after === undefined) {
        before = undefined;
        continue;
      }
      done += 1;
      byKind[kind] = (byKind[kind] ?? 0) + 1;
      const byKeys = comparePlans(before.keys, after.keys).map(({ task }) => task);
      const naive = bruteForce(before.raw, after.raw);
      selected += naive.length;
      const tooMany = byKeys.filter((task) => !naive.includes(task));
      const missing = naive.filter((task) => !byKeys.includes(task));
      if (tooMany.length + missing.length > 0) differences.push({ change: `${kind}: ${what}`, tooMany, missing });
      before = after;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return { changes: done, byKind, selected, differences };
}

const RESTORE_AFTER = 10;

interface State {
  readonly keys: ReturnType<typeof planKeys>;
  readonly raw: ReturnType<typeof rawTasks>;
}

function stateOf(distribution: Distribution, keysOf: typeof planKeys): State {
  return { keys: keysOf(distribution), raw: rawTasks(distribution) };
}

/** Undefined for a tree that is refused as a whole. */
async function loadState(root: string, keysOf: typeof planKeys): Promise<State | undefined> {
  try {
    return stateOf(await loadDistribution(root), keysOf);
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}

/** Only what planning reads. */
function copyTree(
  tree: string,
  copy: string,
  { seed, packages }: { readonly seed: number; readonly packages: number | undefined },
): void {
  const { specRoots, imageDirectory } = JSON.parse(readFileSync(join(tree, 'toolkit/distro.json'), 'utf8')) as {
    specRoots: string[];
    imageDirectory: string;
  };
  cpSync(join(tree, 'toolkit'), join(copy, 'toolkit'), { recursive: true });
  cpSync(join(tree, imageDirectory), join(copy, imageDirectory), { recursive: true });
  // They name packages that may not be among the chosen ones.
  const naming = packages === undefined ? [] : ['toolkit/packages.json', 'toolkit/bootstrap.json'];
  for (const file of naming) rmSync(join(copy, file), { force: true });
  const random = randomNumbers(seed);
  for (const specRoot of specRoots) {
    const all = readdirSync(join(tree, specRoot));
    const share = packages === undefined ? 1 : packages / all.length;
    for (const name of all) {
      // Few packages have patches: those are always there.
      const isChosen =
        random() < share || readdirSync(join(tree, specRoot, name)).some((file) => file.endsWith('.patch'));
      if (isChosen) cpSync(join(tree, specRoot, name), join(copy, specRoot, name), { recursive: true });
    }
  }
}
