/**
 * Command: compares our reading of RPMs, and of the metadata that createrepo_c makes of them, with what rpm says; see compare-headers.ts.
 * `npx tsx --conditions=development tools/conformance/headers.ts <directory...> [--odd] [--rpm "<command>"] [--json]`.
 */
import './use-sources.ts';

const { compareHeaders } = await import('./compare-headers.ts');
await compareHeaders(process.argv.slice(2));
