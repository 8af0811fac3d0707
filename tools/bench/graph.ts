/**
 * Command: how long Nx takes to read a checkout of Azure Linux with our plugin; see graph-bench.ts.
 * `npx tsx tools/bench/graph.ts --tree <azurelinux> [--roots SPECS]… [--runs 3] [--json]`; all three spec roots by default.
 */
import '../conformance/use-sources.ts';
import { parseArgs } from 'node:util';
import type { Measure } from './graph-bench.ts';

const { benchGraph } = await import('./graph-bench.ts');

const { values } = parseArgs({
  options: {
    tree: { type: 'string' },
    roots: { type: 'string', multiple: true, default: ['SPECS', 'SPECS-EXTENDED', 'SPECS-SIGNED'] },
    runs: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
if (values.tree === undefined) throw new Error('--tree is missing: the checkout of Azure Linux');
const format = ({ name, wall, cpu, megabytes, floor, target }: Measure): string => {
  const aim = floor === undefined ? '' : ` (floor ${floor}, target ${target})`;
  return `${name}: ${wall.toFixed(2)} s wall, ${cpu.toFixed(2)} s CPU, ${megabytes} MB${aim}`;
};
const { tree, roots, runs, json } = values;
const bench = await benchGraph({
  tree,
  roots,
  runs: Number(runs),
  say: (measure) => void (json || console.log(format(measure))),
});
const { projects, edges, cachedPackages, load } = bench;
const counts = `${projects} projects, ${edges} edges; ${cachedPackages} packages were cached; load ${load.join(' to ')}`;
console.log(json ? JSON.stringify(bench) : counts);
