/** Command: what evaluating a whole tree costs, beside rpmspec; see evaluate-tree-cost.ts. */
import '../conformance/use-sources.ts';

const { benchmark } = await import('./evaluate-tree-cost.ts');
await benchmark(process.argv.slice(2));
