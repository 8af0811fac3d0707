/** The evaluator's side of the comparison of specs. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { standardEnvironment, type LuaPort, type MacroEnvironment } from '@kiln/rpm-macro';
import { evaluateSpec, type EvaluatedSpec } from '@kiln/rpm-spec';
import { compareValues, type FieldDifference } from '../conformance/compare.ts';
import { HOME, type RpmAnswer } from '../conformance/query-rpm.ts';
import { factsOf } from '../oracle/facts.ts';
import { headerFactsOf } from '../oracle/header-facts.ts';

/** What the evaluator said and in which fields rpm says something else. */
export interface SpecVerdict {
  readonly messages: readonly string[];
  readonly fields: readonly FieldDifference[];
}

export interface JudgeOptions {
  readonly environment: MacroEnvironment;
  readonly lua: LuaPort;
  /** The path by which rpm was given the spec; sources are in its directory. */
  readonly file: string;
  readonly rpm: RpmAnswer;
}

/** No spec may take longer; in milliseconds. */
const SLOW = 5000;

/** The environment in which generated specs are evaluated. */
export function fuzzSpecEnvironment(): MacroEnvironment {
  return standardEnvironment({ targetArch: 'x86_64' });
}

/** Evaluates a spec and compares it with rpm's answer. */
export function judgeSpec(text: string, options: JudgeOptions): SpecVerdict {
  const started = performance.now();
  try {
    const kiln = evaluate(text, options);
    const slow = performance.now() - started > SLOW;
    return {
      messages: kiln.diagnostics.map(({ severity, message }) => `${severity}: ${message}`),
      fields: slow ? [{ field: 'time', rpm: 'fast', kiln: 'slow' }] : differences(options.rpm, kiln),
    };
  } catch (error) {
    const crash = `crash: ${error instanceof Error ? error.stack : String(error)}`;
    return { messages: [crash], fields: [{ field: 'crash', rpm: '', kiln: crash }] };
  }
}

function evaluate(text: string, { environment, lua, file }: JudgeOptions): EvaluatedSpec {
  const ports = {
    lua,
    shell,
    exists: existsSync,
    readFile,
    environment: (name: string) => (name === 'HOME' ? HOME : undefined),
  };
  return evaluateSpec({ file, text, environment, sourceDir: dirname(file), ports });
}

function differences(rpm: RpmAnswer, kiln: EvaluatedSpec): FieldDifference[] {
  const facts = factsOf('input.spec', kiln);
  if (rpm.facts === undefined && facts === undefined) return [];
  if (rpm.facts === undefined || facts === undefined) {
    return [{ field: 'evaluates', rpm: rpm.facts !== undefined, kiln: facts !== undefined }];
  }
  const expanded = compareValues(rpm.expanded.toString('utf8').split('\n'), kiln.expandedText.split('\n'), 'expanded');
  const headers = rpm.headers === undefined ? [] : compareValues(rpm.headers, headerFactsOf(kiln));
  return [...compareValues(rpm.facts, facts), ...headers, ...expanded];
}

function readFile(path: string): string | undefined {
  return existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
}

function shell(command: string): string {
  const { stdout } = spawnSync('/bin/sh', ['-c', command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 10_000,
  });
  return stdout ?? '';
}
