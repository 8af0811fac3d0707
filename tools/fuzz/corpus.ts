/** Generated inputs with rpm's answers, kept so that changed evaluators can be held against them again and again. */
import { mkdirSync } from 'node:fs';
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

/** Inputs and answers, as JSON. */
export interface Corpus {
  readonly texts: readonly { readonly text: string; readonly rpm: MacroOutcome }[];
  readonly specs: readonly {
    readonly text: string;
    readonly facts: RpmAnswer['facts'] | null;
    readonly headers?: RpmAnswer['headers'];
    readonly expanded: string;
  }[];
}

export interface CorpusOptions {
  readonly rpmlua: string;
  readonly rpmspec: string;
  readonly seed: number;
  readonly texts: number;
  readonly specs: number;
  /** Instead of generated ones. */
  readonly inputs?: { readonly texts: readonly string[]; readonly specs: readonly string[] } | undefined;
}

/** Specs per call of rpmspec. */
const BATCH = 50;
/** Where specs of a corpus seem to be, wherever they were recorded. */
const PLACE = '/specs';

/** Asks rpm about generated texts and specs; works below `directory`. */
export async function makeCorpus(directory: string, options: CorpusOptions): Promise<Corpus> {
  const { rpmlua, rpmspec, seed } = options;
  const texts =
    options.inputs?.texts ?? Array.from({ length: options.texts }, (_, index) => macroText(new Random(seed, index)));
  const specTexts =
    options.inputs?.specs ?? Array.from({ length: options.specs }, (_, index) => specText(new Random(seed, index)));
  const outcomes = expandWithRpm(texts, { rpmlua, macroFile: MACRO_FILE, probe: PROBE });
  const sides = await openSpecSides(rpmspec, directory);
  const specs: Corpus['specs'][number][] = [];
  const place = join(directory, 'specs');
  mkdirSync(place, { recursive: true });
  const there = (text: string): string => text.replaceAll(place, PLACE);
  for (let start = 0; start < specTexts.length; start += BATCH) {
    const batch = specTexts.slice(start, start + BATCH);
    const files = batch.map((_, index) => join(place, `s${start + index}.spec`));
    const answers = await sides.askRpm(batch, files);
    answers?.forEach(({ facts, headers, expanded }, index) => {
      const answer = facts === undefined ? { facts: null } : { facts, headers };
      const recorded = JSON.parse(there(JSON.stringify(answer))) as Pick<(typeof specs)[number], 'facts' | 'headers'>;
      specs.push({ text: batch[index]!, ...recorded, expanded: there(expanded.toString('utf8')) });
    });
  }
  return { texts: texts.map((text, index) => ({ text, rpm: { ...outcomes[index]!, messages: [] } })), specs };
}

/** The first input of the corpus on which the evaluator differs unexplained; undefined when there is none. */
export async function firstDifference(corpus: Corpus): Promise<string | undefined> {
  const lua = await createLuaPort();
  const macros = { environment: fuzzMacroEnvironment(), probe: PROBE, lua };
  for (const { text, rpm } of corpus.texts) {
    const kiln = expandWithKiln(text, macros);
    if (kiln.died === true || kiln.milliseconds > 2000) return text;
    if (!outcomesAgree(rpm, kiln) && explanationOf({ text, rpm, kiln }) === undefined) return text;
  }
  const environment = fuzzSpecEnvironment();
  for (const { text, facts, headers, expanded } of corpus.specs) {
    const file = `${PLACE}/input.spec`;
    const rpm = { facts: facts ?? undefined, headers, expanded: Buffer.from(expanded, 'utf8'), messages: '' };
    const { fields, messages } = judgeSpec(text, { environment, lua, file, rpm });
    const difference = { index: 0, text, fields, rpmMessages: '', kilnMessages: messages };
    if (fields.length > 0 && specExplanationOf(difference) === undefined) return text;
  }
  return undefined;
}
