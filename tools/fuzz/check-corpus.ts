/** One process that holds the evaluator against a corpus; started by mutants.ts. Prints the first difference as JSON. */
import '../conformance/use-sources.ts';

import { readFileSync } from 'node:fs';

const { firstDifference } = await import('./corpus.ts');
const corpus = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Parameters<typeof firstDifference>[0];
console.log(JSON.stringify((await firstDifference(corpus)) ?? null));
