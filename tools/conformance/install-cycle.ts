/** Command: installs, verifies, upgrades and erases packages in roots of their own; see cycle-report.ts. */
import './use-sources.ts';

const { reportCycles } = await import('./cycle-report.ts');
await reportCycles(process.argv.slice(2));
