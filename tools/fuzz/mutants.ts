/** Command: whether the fuzzer finds seeded faults of the evaluator; see kill-mutants.ts. */
import '../conformance/use-sources.ts';

const { killMutants } = await import('./kill-mutants.ts');
await killMutants(process.argv.slice(2));
