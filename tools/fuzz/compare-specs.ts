/**
 * Differential fuzzing of specs: `npx tsx tools/fuzz/specs.ts [--rpmspec <rpmspec>] [--count 20000] [--seed 1] [--jobs 2] [--json]`.
 * Every spec is compared in what `rpmspec -q`, `--srpm` and `--builtrpms` say and in the text of `-P`. rpm reads the standard
 * macro files of the evaluator (`--macros`), so that both sides have the same environment on any machine.
 * Spec `n` of a seed is the same everywhere: `--from <n> --count 1 --print` shows it. `--cases <directory>` compares its files.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shorten } from '../conformance/compare.ts';
import { Random } from './random.ts';
import { shrinkSpec } from './shrink-spec.ts';
import { specText } from './spec-grammar.ts';
import { openSpecSides, type SpecDifference, type SpecSides } from './spec-sides.ts';

const OPTIONS = {
  rpmspec: { type: 'string', default: 'rpmspec' },
  count: { type: 'string', default: '200' },
  from: { type: 'string', default: '0' },
  seed: { type: 'string', default: '1' },
  batch: { type: 'string', default: '50' },
  jobs: { type: 'string', default: '2' },
  most: { type: 'string', default: '20' },
  cases: { type: 'string' },
  print: { type: 'boolean', default: false },
  shrink: { type: 'boolean', default: true },
  json: { type: 'boolean', default: false },
} as const;

/** Runs the comparison and prints its result. */
export async function fuzzSpecs(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, allowNegative: true });
  const directory = mkdtempSync(join(tmpdir(), 'kiln-fuzz-'));
  const cases = values.cases === undefined ? undefined : readdirSync(values.cases).sort();
  const from = Number(values.from);
  const end = cases === undefined ? from + Number(values.count) : cases.length;
  const textOf = (index: number): string =>
    cases === undefined
      ? specText(new Random(Number(values.seed), index))
      : readFileSync(join(values.cases!, cases[index]!), 'utf8');
  const differences: SpecDifference[] = [];
  let [next, done] = [from, 0];
  try {
    const sides = await openSpecSides(values.rpmspec, directory);
    const worker = async (job: number): Promise<void> => {
      const place = join(directory, String(job));
      mkdirSync(place);
      while (next < end && differences.length < Number(values.most)) {
        const start = next;
        next = Math.min(end, next + Number(values.batch));
        const texts = Array.from({ length: next - start }, (_, at) => textOf(start + at));
        if (values.print) for (const text of texts) console.log(text);
        for (const found of await sides.compareMany(texts, place, start)) {
          differences.push(values.shrink ? await shrink(sides, found, place) : found);
        }
        done += texts.length;
        if (!values.json) {
          process.stderr.write(`\r${done} specs, ${sides.rejected} rejected, ${differences.length} differences `);
        }
      }
    };
    await Promise.all(Array.from({ length: Number(values.jobs) }, async (_, job) => worker(job)));
    report(
      { specs: done, rejected: sides.rejected, explained: Object.fromEntries(sides.explained), differences },
      values.json,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function shrink(sides: SpecSides, found: SpecDifference, place: string): Promise<SpecDifference> {
  const text = await shrinkSpec(
    found.text,
    async (candidate) => (await sides.compare(candidate, place, found.index)) !== undefined,
  );
  return (await sides.compare(text, place, found.index)) ?? found;
}

function report(
  result: {
    specs: number;
    rejected: number;
    explained: Record<string, number>;
    differences: readonly SpecDifference[];
  },
  json: boolean,
): void {
  if (json) console.log(JSON.stringify(result));
  else {
    for (const { index, text, fields, rpmMessages, kilnMessages } of result.differences) {
      console.log(`\n#${index}\n${text.replace(/^/gm, '    | ')}`);
      for (const { field, rpm, kiln } of fields)
        console.log(`  ${field}\n    rpm:  ${shorten(rpm)}\n    kiln: ${shorten(kiln)}`);
      console.log(`  rpm says:  ${shorten(rpmMessages)}\n  kiln says: ${shorten(kilnMessages)}`);
    }
    for (const [why, count] of Object.entries(result.explained)) console.log(`explained ${count} times: ${why}`);
    console.log(
      `\n${result.specs} specs (${result.rejected} rejected by rpm), ${result.differences.length} differences`,
    );
  }
  if (result.differences.length > 0) process.exitCode = 1;
}
