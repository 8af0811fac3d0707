/** Both sides of the comparison of specs: rpmspec and the evaluator. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import type { FieldDifference } from '../conformance/compare.ts';
import { queryRpm, queryRpmBatch, type RpmAnswer } from '../conformance/query-rpm.ts';
import { specExplanationOf } from './explained-specs.ts';
import { fuzzSpecEnvironment, judgeSpec } from './spec-judge.ts';

/** A spec on which the two sides differ. */
export interface SpecDifference {
  readonly index: number;
  readonly text: string;
  readonly fields: readonly FieldDifference[];
  readonly rpmMessages: string;
  readonly kilnMessages: readonly string[];
}

export interface SpecSides {
  /** Compares in a directory of its own; undefined when both agree or the difference is explained. */
  readonly compare: (text: string, place: string, index: number) => Promise<SpecDifference | undefined>;
  /** Compares many at once; those that differ are compared again one by one. The first has the number `from`. */
  readonly compareMany: (texts: readonly string[], place: string, from: number) => Promise<SpecDifference[]>;
  /** rpm's answers to many specs, which it is given at the paths `files`. */
  readonly askRpm: (texts: readonly string[], files: readonly string[]) => Promise<readonly RpmAnswer[] | undefined>;
  readonly explained: ReadonlyMap<string, number>;
  /** How many of the specs compared many at once rpm rejected. */
  rejected: number;
}

/** Prepares the macro file of rpm's side in `directory`; what rpm derives from its target it sets itself. */
export async function openSpecSides(rpmspec: string, directory: string): Promise<SpecSides> {
  const environment = fuzzSpecEnvironment();
  const macros = join(directory, 'macros');
  writeFileSync(macros, environment.files.map(({ text }) => text).join('\n'));
  const lua = await createLuaPort();
  const explained = new Map<string, number>();
  const base = { rpmspec, path: 'input.spec', options: ['--macros', macros] };

  const compare: SpecSides['compare'] = async (text, place, index) => {
    const file = join(place, 'input.spec');
    writeFileSync(file, text);
    const rpm = await queryRpm({ ...base, file });
    const { messages, fields } = judgeSpec(text, { environment, lua, file, rpm });
    if (fields.length === 0) return undefined;
    const difference = { index, text, fields, rpmMessages: rpm.messages, kilnMessages: messages };
    const explanation = specExplanationOf(difference);
    if (explanation === undefined) return difference;
    explained.set(explanation, (explained.get(explanation) ?? 0) + 1);
    return undefined;
  };
  const askRpm: SpecSides['askRpm'] = async (texts, files) => {
    texts.forEach((text, index) => writeFileSync(files[index]!, text));
    return queryRpmBatch({ ...base, file: files[0]! }, files);
  };
  const sides: SpecSides = {
    explained,
    rejected: 0,
    compare,
    askRpm,
    compareMany: async (texts, place, from) => {
      const files = texts.map((_, index) => join(place, `s${index}.spec`));
      const answers = await askRpm(texts, files);
      const found: SpecDifference[] = [];
      for (const [index, text] of texts.entries()) {
        const rpm = answers?.[index];
        if (rpm !== undefined && rpm.facts === undefined) sides.rejected += 1;
        const file = files[index]!;
        if (rpm !== undefined && judgeSpec(text, { environment, lua, file, rpm }).fields.length === 0) continue;
        const difference = await compare(text, place, from + index);
        if (difference !== undefined) found.push(difference);
      }
      return found;
    },
  };
  return sides;
}
