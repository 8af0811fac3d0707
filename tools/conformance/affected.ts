/** Command: whether `kiln affected` selects what a naive recomputation selects; see affected-report.ts. */
import './use-sources.ts';

const { reportAffected } = await import('./affected-report.ts');
await reportAffected(process.argv.slice(2));
