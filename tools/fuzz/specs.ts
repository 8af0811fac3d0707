/** Command: fuzzes specs against rpmspec; see compare-specs.ts. */
import '../conformance/use-sources.ts';

const { fuzzSpecs } = await import('./compare-specs.ts');
await fuzzSpecs(process.argv.slice(2));
