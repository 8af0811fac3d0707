/** Command: how many predicted provides built RPMs confirm; see predictions-report.ts. */
import './use-sources.ts';

const { reportPredictions } = await import('./predictions-report.ts');
await reportPredictions(process.argv.slice(2));
