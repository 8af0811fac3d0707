/** `--parallel`, which Nx doesn't tell to executors: read where the command line is known, passed on in the environment. */
import { availableParallelism } from 'node:os';

/** Most tasks at once, or what the user typed for it. */
export const PARALLEL_VARIABLE = 'KILN_PARALLEL';

/**
 * What the user asked for on the command line or by `NX_PARALLEL`; undefined when nothing. The default of nx.json is none: it stands
 * there for tasks that nobody weighs.
 */
export function askedParallel(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  for (const [at, word] of argv.entries()) {
    if (word === '--') break;
    const [, value] = /^--(?:parallel|maxParallel|max-parallel)(?:=(.*))?$/.exec(word) ?? [undefined, null];
    if (value === null) continue;
    const asked = value ?? argv[at + 1] ?? '';
    if (asked === 'false') return '1';
    if (/^\d+%?$/.test(asked)) return asked;
  }
  return environment['NX_PARALLEL'];
}

/** The number that is asked for; a share is one of the cores. @throws nothing: what can't be read is no limit. */
export function parallelLimit(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const [, digits, percent] = /^(\d+)(%?)$/.exec(environment[PARALLEL_VARIABLE] ?? '') ?? [];
  if (digits === undefined) return undefined;
  const number = percent === '%' ? (availableParallelism() * Number(digits)) / 100 : Number(digits);
  return Math.max(1, Math.floor(number));
}
