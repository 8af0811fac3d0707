/** Both sides of the comparison of specs: rpmspec and the evaluator. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { standardEnvironment, type MacroEnvironment } from '@kiln/rpm-macro';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { evaluateSpec, type EvaluatedSpec } from '@kiln/rpm-spec';
import { compareValues, type FieldDifference } from '../conformance/compare.ts';
import { queryRpm, queryRpmBatch, type RpmAnswer } from '../conformance/query-rpm.ts';
import { factsOf } from '../oracle/facts.ts';
import { specExplanationOf } from './explained-specs.ts';

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
  readonly explained: ReadonlyMap<string, number>;
  /** How many of the specs compared many at once rpm rejected. */
  rejected: number;
}

/** No spec may take longer; in milliseconds. */
const SLOW = 5000;

/** Prepares the macro file of rpm's side in `directory`. */
export async function openSpecSides(rpmspec: string, directory: string): Promise<SpecSides> {
  const environment = standardEnvironment({ targetArch: 'x86_64' });
  const macros = join(directory, 'macros');
  writeFileSync(macros, macroText(environment));
  const lua = await createLuaPort();
  const explained = new Map<string, number>();
  const evaluate = (text: string, file: string, place: string): EvaluatedSpec =>
    evaluateSpec({
      file,
      text,
      environment,
      sourceDir: place,
      ports: { lua, shell, exists: existsSync, readFile, environment: (name) => process.env[name] },
    });
  const base = { rpmspec, path: 'input.spec', options: ['--macros', macros] };
  const judge = (text: string, { file, place, rpm }: { file: string; place: string; rpm: RpmAnswer }): Verdict => {
    const started = performance.now();
    const kiln = attempt(() => evaluate(text, file, place));
    const slow = performance.now() - started > SLOW;
    return { kiln, fields: slow ? [{ field: 'time', rpm: 'fast', kiln: 'slow' }] : differences(rpm, kiln) };
  };
  const compare: SpecSides['compare'] = async (text, place, index) => {
    const file = join(place, 'input.spec');
    writeFileSync(file, text);
    const rpm = await queryRpm({ ...base, file });
    const { kiln, fields } = judge(text, { file, place, rpm });
    if (fields.length === 0) return undefined;
    const difference = { index, text, fields, rpmMessages: rpm.messages, kilnMessages: messagesOf(kiln) };
    const explanation = specExplanationOf(difference);
    if (explanation === undefined) return difference;
    explained.set(explanation, (explained.get(explanation) ?? 0) + 1);
    return undefined;
  };
  const sides: SpecSides = {
    explained,
    rejected: 0,
    compare,
    compareMany: async (texts, place, from) => {
      const files = texts.map((_, index) => join(place, `s${index}.spec`));
      texts.forEach((text, index) => writeFileSync(files[index]!, text));
      const answers = await queryRpmBatch({ ...base, file: '' }, files);
      const found: SpecDifference[] = [];
      for (const [index, text] of texts.entries()) {
        const rpm = answers?.[index];
        if (rpm !== undefined && rpm.facts === undefined) sides.rejected += 1;
        if (rpm !== undefined && judge(text, { file: files[index]!, place, rpm }).fields.length === 0) continue;
        const difference = await compare(text, place, from + index);
        if (difference !== undefined) found.push(difference);
      }
      return found;
    },
  };
  return sides;
}

type Attempt = EvaluatedSpec | { readonly crash: string };

interface Verdict {
  readonly kiln: Attempt;
  readonly fields: readonly FieldDifference[];
}

function messagesOf(kiln: Attempt): string[] {
  return 'crash' in kiln ? [kiln.crash] : kiln.diagnostics.map(({ severity, message }) => `${severity}: ${message}`);
}

function attempt(evaluate: () => EvaluatedSpec): Attempt {
  try {
    return evaluate();
  } catch (error) {
    return { crash: error instanceof Error ? `crash: ${error.stack}` : String(error) };
  }
}

function differences(rpm: RpmAnswer, kiln: Attempt): FieldDifference[] {
  if ('crash' in kiln) return [{ field: 'crash', rpm: '', kiln: kiln.crash }];
  const facts = factsOf('input.spec', kiln);
  if (rpm.facts === undefined && facts === undefined) return [];
  if (rpm.facts === undefined || facts === undefined) {
    return [{ field: 'evaluates', rpm: rpm.facts !== undefined, kiln: facts !== undefined }];
  }
  const expanded = compareValues(rpm.expanded.toString('utf8').split('\n'), kiln.expandedText.split('\n'), 'expanded');
  return [...compareValues(rpm.facts, facts), ...expanded];
}

/** The environment as one macro file; what rpm derives from its target it sets itself. */
function macroText(environment: MacroEnvironment): string {
  return environment.files.map(({ text }) => text).join('\n');
}

function readFile(path: string): string | undefined {
  return existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
}

function shell(command: string): string {
  return (
    spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 })
      .stdout ?? ''
  );
}
