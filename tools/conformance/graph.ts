/** Command: figures of the dependency graph of a checkout; see graph-report.ts. */
import './use-sources.ts';

const { reportGraph } = await import('./graph-report.ts');
await reportGraph(process.argv.slice(2));
