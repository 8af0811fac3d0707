/** Command: fuzzes macro texts against `rpm --eval`; see compare-macros.ts. */
import '../conformance/use-sources.ts';

const { fuzzMacros } = await import('./compare-macros.ts');
await fuzzMacros(process.argv.slice(2));
