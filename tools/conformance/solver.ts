/**
 * Command: compares closures with those of libsolv, for random repositories and for the metadata of a real one; see compare-solver.ts.
 * `npx tsx --conditions=development tools/conformance/solver.ts [--random 4000] [--metadata <repository>]… [--python python3] [--json]`.
 * libsolv comes through its Python module: `apt-get install python3-solv` on Debian, or --python of a root that has it.
 */
import './use-sources.ts';

const { compareSolver } = await import('./compare-solver.ts');
await compareSolver(process.argv.slice(2));
