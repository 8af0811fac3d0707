/**
 * What a build survives: Kiln killed at random moments, flipped bits in the store, full disks. After each the next run must give the same
 * bytes as one that nobody disturbed. `npx tsx tools/faults/faults.ts [--kills 30] [--flips 3] [--disks 6] [--seed 1] [--directory <empty>] [--json]`
 */
import '../conformance/use-sources.ts';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../fuzz/random.ts';
import type { FullDisk } from './fill-disk.ts';
import type { Flipped } from './flip-bits.ts';
import type { KilledRun } from './kill-run.ts';

const { build, forget, makeFaultedTree, shownDigests } = await import('./faulted-tree.ts');
const { fillAndRunAgain } = await import('./fill-disk.ts');
const { flipAndRun, FLIP_KINDS } = await import('./flip-bits.ts');
const { killAndRunAgain } = await import('./kill-run.ts');

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '30' },
    flips: { type: 'string', default: '3' },
    disks: { type: 'string', default: '6' },
    seed: { type: 'string', default: '1' },
    directory: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const random = new Random(Number(values.seed));
const say = (line: string) => void process.stderr.write(`${line}\n`);
const problemsText = (problems: readonly string[]) =>
  problems.length === 0 ? 'ok' : `PROBLEMS: ${problems.join('; ')}`;

const directory = mkdtempSync(join(values.directory ?? tmpdir(), 'kiln-faults-'));
chmodSync(directory, 0o755);
mkdirSync(directory, { recursive: true });
const tree = await makeFaultedTree(directory, { packages: 10 });
const began = performance.now();
await build(tree);
const seconds = (performance.now() - began) / 1000;
const undisturbed = shownDigests(tree);
say(`undisturbed: ${undisturbed.size} files in ${seconds.toFixed(1)} s`);

const kills: KilledRun[] = [];
// A moment after the end of a run, which takes no longer than the first one, doesn't count.
const isEnough = () => kills.filter(({ wasRunning }) => wasRunning).length >= Number(values.kills);
while (!isEnough()) {
  const killed = await killAndRunAgain(tree, { seconds: random.next() * seconds, undisturbed });
  kills.push(killed);
  const { killedAfter, wasRunning, doneBefore, kept, problems } = killed;
  say(
    `killed after ${killedAfter.toFixed(2)} s${wasRunning ? '' : ' (had ended)'}: ${kept} of ${doneBefore} tasks kept: ${problemsText(problems)}`,
  );
}

forget(tree);
await build(tree);
const flips: Flipped[] = [];
for (let n = 0; n < Number(values.flips); n += 1) {
  for (const kind of FLIP_KINDS) {
    const flipped = await flipAndRun(tree, kind, { chance: random.next(), undisturbed });
    flips.push(flipped);
    say(`flipped a bit: ${kind}: ${problemsText(flipped.problems)}`);
  }
}

const disks: FullDisk[] = [];
for (let n = 0; n < Number(values.disks); n += 1) {
  const full = await fillAndRunAgain(tree, {
    free: 16 * 2 ** Math.floor((n * 10) / Number(values.disks)),
    undisturbed,
  });
  disks.push(full);
  say(`${full.free} kB free: ${full.code}: ${problemsText(full.problems)}`);
}
rmSync(directory, { recursive: true, force: true });
if (values.json) console.log(JSON.stringify({ seconds, kills, flips, disks }, undefined, 2));
const bad = [...kills, ...flips, ...disks].filter(({ problems }) => problems.length > 0).length;
say(
  `${kills.length} kills (${kills.filter(({ wasRunning }) => wasRunning).length} in the course of a run), ${flips.length} flipped bits, ${disks.length} disks: ${bad} with problems`,
);
process.exitCode = bad === 0 ? 0 : 1;
