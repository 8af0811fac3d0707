/** Command: compares evaluations of changed specs with a real rpm; see compare-mutations.ts. */
import './use-sources.ts';

const { compareMutations } = await import('./compare-mutations.ts');
await compareMutations(process.argv.slice(2));
