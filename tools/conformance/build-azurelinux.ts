/** Command: real builds of packages of Azure Linux, drawn at random; see trial-report.ts. */
import './use-sources.ts';

const { reportTrial } = await import('./trial-report.ts');
await reportTrial(process.argv.slice(2));
