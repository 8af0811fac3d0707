/** The short form of tools/faults: after each disturbance the next run gives the bytes of an undisturbed one. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { build, forget, makeFaultedTree, shownDigests } from '../faults/faulted-tree.ts';
import { fillAndRunAgain } from '../faults/fill-disk.ts';
import { flipAndRun, FLIP_KINDS } from '../faults/flip-bits.ts';
import { killAndRunAgain } from '../faults/kill-run.ts';
import type { SmallTree } from './small-tree.ts';

const MINUTES = 60_000;
let directory: string;
let tree: SmallTree;
let undisturbed: ReadonlyMap<string, string>;
let seconds: number;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-faults-'));
  chmodSync(directory, 0o755);
  tree = await makeFaultedTree(directory, { packages: 4 });
  const began = performance.now();
  await build(tree);
  seconds = (performance.now() - began) / 1000;
  undisturbed = shownDigests(tree);
  expect(undisturbed.size).toBeGreaterThan(10);
}, 30 * MINUTES);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

it.each(FLIP_KINDS)('a flipped bit is noticed and made good: %s', { timeout: 5 * MINUTES }, async (kind) => {
  const { problems } = await flipAndRun(tree, kind, { chance: 0.6, undisturbed });
  expect(problems).toEqual([]);
});

it.each([0.35, 0.7])('Kiln is killed when %d of the time has passed', { timeout: 5 * MINUTES }, async (share) => {
  const { problems, kept, doneBefore } = await killAndRunAgain(tree, { seconds: share * seconds, undisturbed });
  expect(problems).toEqual([]);
  expect(kept).toBe(doneBefore);
});

it('the disk becomes full', { timeout: 5 * MINUTES }, async () => {
  forget(tree);
  expect(await fillAndRunAgain(tree, { free: 400, undisturbed })).toEqual({
    free: 400,
    code: 'DISK_FULL',
    problems: [],
  });
});
