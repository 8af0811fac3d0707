/** Generated inputs with rpm's answers, kept so that changed evaluators can be held against them again and again. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import type { RpmAnswer } from '../conformance/query-rpm.ts';
import { explanationOf } from './explained.ts';
import { specExplanationOf } from './explained-specs.ts';
import { expandWithKiln } from './kiln-macros.ts';
import { fuzzMacroEnvironment, MACRO_FILE, PROBE } from './macro-environment.ts';
import { macroText } from './macro-grammar.ts';
import { Random } from './random.ts';
import { expandWithRpm, outcomesAgree, type MacroOutcome } from './rpm-macros.ts';
import { specText } from './spec-grammar.ts';
import { fuzzSpecEnvironment, judgeSpec } from './spec-judge.ts';
import { openSpecSides } from './spec-sides.ts';

interface Corpus {
  readonly texts: readonly { readonly text: string; readonly rpm: MacroOutcome }[];
  readonly specs: readonly {
    readonly text: string;
    readonly file: string;
    readonly facts: RpmAnswer['facts'] | null;
    readonly expanded: string;
  }[];
}

export interface CorpusOptions {
  readonly rpmlua: string;
  readonly rpmspec: string;
  readonly seed: number;
  readonly texts: number;
  readonly specs: number;
}

/** Asks rpm about generated texts and specs and writes everything below `directory`. */
export async function recordCorpus(directory: string, options: CorpusOptions): Promise<void> {
  const { rpmlua, rpmspec, seed } = options;
  const texts = Array.from({ length: options.texts }, (_, index) => macroText(new Random(seed, index)));
  const outcomes = expandWithRpm(texts, { rpmlua, macroFile: MACRO_FILE, probe: PROBE });
  const sides = await openSpecSides(rpmspec, directory);
  const specs: Corpus['specs'][number][] = [];
  const place = join(directory, 'specs');
  mkdirSync(place);
  for (let start = 0; start < options.specs; start += 50) {
    const batch = Array.from({ length: 50 }, (_, index) => specText(new Random(seed, start + index)));
    const files = batch.map((_, index) => join(place, `s${start + index}.spec`));
    const answers = await sides.askRpm(batch, files);
    answers?.forEach(({ facts, expanded }, index) => {
      specs.push({
        text: batch[index]!,
        file: files[index]!,
        facts: facts ?? null,
        expanded: expanded.toString('utf8'),
      });
    });
  }
  const corpus: Corpus = { texts: texts.map((text, index) => ({ text, rpm: outcomes[index]! })), specs };
  writeFileSync(join(directory, 'corpus.json'), JSON.stringify(corpus));
}

/** The first input of the corpus on which the evaluator differs unexplained; undefined when there is none. */
export async function firstDifference(directory: string): Promise<string | undefined> {
  const path = join(directory, 'corpus.json');
  if (!existsSync(path)) throw new Error(`there is no corpus in ${directory}`);
  const corpus = JSON.parse(readFileSync(path, 'utf8')) as Corpus;
  const lua = await createLuaPort();
  const macros = { environment: fuzzMacroEnvironment(), probe: PROBE, lua };
  for (const { text, rpm } of corpus.texts) {
    const kiln = expandWithKiln(text, macros);
    if (kiln.died === true || kiln.milliseconds > 2000) return text;
    if (!outcomesAgree(rpm, kiln) && explanationOf({ text, rpm, kiln }) === undefined) return text;
  }
  const environment = fuzzSpecEnvironment();
  for (const { text, file, facts, expanded } of corpus.specs) {
    const rpm = { facts: facts ?? undefined, expanded: Buffer.from(expanded, 'utf8'), messages: '' };
    const { fields, messages } = judgeSpec(text, { environment, lua, file, rpm });
    const difference = { index: 0, text, fields, rpmMessages: '', kilnMessages: messages };
    if (fields.length > 0 && specExplanationOf(difference) === undefined) return text;
  }
  return undefined;
}
