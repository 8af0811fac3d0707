/** One process that evaluates every spec of a tree and prints what it cost; started by evaluate-tree-cost.ts. */
import '../conformance/use-sources.ts';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    tree: { type: 'string' },
    rpm: { type: 'string' },
    answers: { type: 'string' },
    record: { type: 'string' },
  },
});
const { openConformanceTree } = await import('../conformance/conformance-tree.ts');
const { specsBelow } = await import('../azurelinux/macro-environment/evaluate-tree.ts');

const tree = await openConformanceTree({
  tree: values.tree!,
  rpmDirectory: values.rpm!,
  answers: values.answers,
  record: values.record,
});
let specs = 0;
for (const root of ['SPECS', 'SPECS-EXTENDED', 'SPECS-SIGNED']) {
  for (const path of specsBelow(values.tree!, root)) {
    tree.evaluate(path);
    specs += 1;
  }
}
console.log(JSON.stringify({ specs, memory: process.resourceUsage().maxRSS * 1024 }));
