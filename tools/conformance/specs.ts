/** Command: compares evaluations with recorded answers of rpm; see compare-specs.ts. */
import './use-sources.ts';

const { compareSpecs } = await import('./compare-specs.ts');
await compareSpecs(process.argv.slice(2));
