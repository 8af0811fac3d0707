/**
 * Differential fuzzing of macro expansion: `npx tsx tools/fuzz/macros.ts [--rpmlua <rpmlua>] [--count 200000] [--seed 1] [--json]`.
 * Text `n` of a seed is the same on every machine: `--from <n> --count 1` shows one again. Differences are shrunk and printed.
 * `--cases <file>` compares the texts of a JSON list instead.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { explanationOf } from './explained.ts';
import { expandWithKiln, type KilnMacrosOptions } from './kiln-macros.ts';
import { fuzzMacroEnvironment, MACRO_FILE, PROBE } from './macro-environment.ts';
import { macroText } from './macro-grammar.ts';
import { Random } from './random.ts';
import { expandWithRpm, outcomesAgree, type MacroOutcome } from './rpm-macros.ts';
import { shrinkText } from './shrink.ts';

/** A text on which the two sides differ. */
export interface MacroDifference {
  /** The number of the text; -1 for one from a file. */
  readonly index: number;
  readonly text: string;
  readonly rpm: MacroOutcome;
  readonly kiln: MacroOutcome;
}

const OPTIONS = {
  rpmlua: { type: 'string', default: 'rpmlua' },
  count: { type: 'string', default: '2000' },
  from: { type: 'string', default: '0' },
  seed: { type: 'string', default: '1' },
  batch: { type: 'string', default: '2000' },
  most: { type: 'string', default: '20' },
  cases: { type: 'string' },
  shrink: { type: 'boolean', default: true },
  json: { type: 'boolean', default: false },
} as const;

/** No text may take longer; in milliseconds. */
const SLOW = 2000;

/** Runs the comparison and prints its result. */
export async function fuzzMacros(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, allowNegative: true });
  const sides = new MacroSides(values.rpmlua, {
    environment: fuzzMacroEnvironment(),
    probe: PROBE,
    lua: await createLuaPort(),
  });
  const cases = values.cases === undefined ? undefined : (JSON.parse(readFileSync(values.cases, 'utf8')) as string[]);
  const from = cases === undefined ? Number(values.from) : 0;
  const end = from + (cases === undefined ? Number(values.count) : cases.length);
  const most = Number(values.most);
  const differences: MacroDifference[] = [];
  let done = 0;
  for (let start = from; start < end && differences.length < most; start += Number(values.batch)) {
    const texts: string[] = [];
    for (let index = start; index < Math.min(end, start + Number(values.batch)); index += 1) {
      texts.push(cases?.[index] ?? macroText(new Random(Number(values.seed), index)));
    }
    const found = sides.compare(texts, start).slice(0, most - differences.length);
    differences.push(...found.map((difference) => (values.shrink ? sides.shrink(difference) : difference)));
    done += texts.length;
    if (!values.json) process.stderr.write(`\r${done} texts, ${differences.length} differences `);
  }
  report({ texts: done, explained: Object.fromEntries(sides.explained), differences }, values.json);
}

/** Both sides of the comparison. */
class MacroSides {
  /** Differences that are known and not the evaluator's, by their explanation. */
  readonly explained = new Map<string, number>();
  readonly #rpmlua: string;
  readonly #kiln: KilnMacrosOptions;

  constructor(rpmlua: string, kiln: KilnMacrosOptions) {
    this.#rpmlua = rpmlua;
    this.#kiln = kiln;
  }

  compare(texts: readonly string[], start: number): MacroDifference[] {
    const outcomes = expandWithRpm(texts, { rpmlua: this.#rpmlua, macroFile: MACRO_FILE, probe: PROBE });
    return texts.flatMap((text, at) => {
      const rpm = outcomes[at]!;
      const kiln = expandWithKiln(text, this.#kiln);
      if (kiln.milliseconds < SLOW && kiln.died !== true) {
        if (outcomesAgree(rpm, kiln)) return [];
        const explanation = explanationOf({ text, rpm, kiln });
        if (explanation !== undefined) {
          this.explained.set(explanation, (this.explained.get(explanation) ?? 0) + 1);
          return [];
        }
      }
      return [{ index: start + at, text, rpm, kiln }];
    });
  }

  shrink(difference: MacroDifference): MacroDifference {
    const text = shrinkText(difference.text, (candidates) => {
      const differing = new Set(this.compare(candidates, 0).map(({ text: found }) => found));
      return candidates.map((candidate) => differing.has(candidate));
    });
    // A difference that needs the texts before it stays as it is.
    const [small] = this.compare([text], difference.index);
    return small ?? difference;
  }
}

function report(
  result: { texts: number; explained: Record<string, number>; differences: readonly MacroDifference[] },
  json: boolean,
): void {
  if (json) console.log(JSON.stringify(result));
  else {
    for (const { index, text, rpm, kiln } of result.differences) {
      console.log(`\n#${index} ${JSON.stringify(text)}`);
      for (const [side, { value, probe, messages }] of Object.entries({ rpm, kiln })) {
        console.log(`  ${side}: ${value === undefined ? 'fails' : JSON.stringify(value)} ${JSON.stringify(messages)}`);
        if (rpm.probe !== kiln.probe) console.log(`    leaves ${JSON.stringify(probe)}`);
      }
    }
    for (const [why, count] of Object.entries(result.explained)) console.log(`explained ${count} times: ${why}`);
    console.log(`\n${result.texts} texts, ${result.differences.length} differences`);
  }
  if (result.differences.length > 0) process.exitCode = 1;
}
