/** Command: compares version order and dependency matching with rpm's; see compare-versions.ts. */
import '../conformance/use-sources.ts';

const { fuzzVersions } = await import('./compare-versions.ts');
await fuzzVersions(process.argv.slice(2));
