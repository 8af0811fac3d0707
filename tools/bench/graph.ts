/**
 * Command: how long Nx takes to read a checkout of Azure Linux with our plugin; see graph-bench.ts.
 * `npx tsx tools/bench/graph.ts --tree <azurelinux> [--roots SPECS]… [--runs 3] [--json]`.
 */
import { parseArgs } from 'node:util';
import { benchGraph } from './graph-bench.ts';

const DEFAULT_ROOTS = ['SPECS'];
const { values } = parseArgs({
  options: {
    tree: { type: 'string' },
    roots: { type: 'string', multiple: true, default: DEFAULT_ROOTS },
    runs: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
if (values.tree === undefined) throw new Error('--tree is missing: the checkout of Azure Linux');
const measures = benchGraph({ tree: values.tree, roots: values.roots, runs: Number(values.runs) });
if (values.json) console.log(JSON.stringify(measures));
else for (const one of measures) console.log(`${one.name}: ${one.seconds.toFixed(2)} s, ${one.megabytes} MB`);
