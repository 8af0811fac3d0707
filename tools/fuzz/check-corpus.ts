/** One process that holds the evaluator against a corpus; started by mutants.ts. Prints the first difference as JSON. */
import '../conformance/use-sources.ts';

const { firstDifference } = await import('./corpus.ts');
console.log(JSON.stringify((await firstDifference(process.argv[2]!)) ?? null));
