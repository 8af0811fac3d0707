/**
 * Compares evaluations with recorded answers of rpm:
 * `npx tsx tools/conformance/specs.ts --tree <azurelinux> --facts <facts.jsonl.gz> [--json]`.
 * Every spec that the facts name is evaluated before the answers are opened.
 *
 * `--rpm <directory>`      rpm's own macro files as installed (default: /usr/lib/rpm)
 * `--answers <file.json>`  output of shell commands; others run in bash with stand-ins for the worker root's programs
 * `--expanded <directory>` compares `rpmspec -P` texts, `<directory>/<path of the spec>`, instead of (or beside) facts
 * `--only <text>`          only specs whose path contains the text
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { TreeEvaluator } from '../azurelinux/macro-environment/evaluate-tree.ts';
import { buildRequiresFacts, factsOf, type FactDependency, type SpecFacts } from '../oracle/facts.ts';
import { compareValues, shorten, type FieldDifference } from './compare.ts';
import { openConformanceTree } from './conformance-tree.ts';

/** A spec's field that differs. */
export interface Difference extends FieldDifference {
  readonly path: string;
}

/** What the evaluation says of one spec, kept until the answers are opened. */
interface Answer {
  readonly facts: SpecFacts | undefined;
  readonly errors: readonly string[];
  readonly buildRequiresWithCheck: readonly FactDependency[];
  readonly expanded: Buffer;
}

const OPTIONS = {
  tree: { type: 'string' },
  facts: { type: 'string' },
  rpm: { type: 'string', default: '/usr/lib/rpm' },
  answers: { type: 'string' },
  expanded: { type: 'string' },
  only: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
} as const;

/** Runs the comparison and prints its result. */
export async function compareSpecs(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const { tree: treePath, facts, expanded, only } = values;
  if (treePath === undefined) throw new Error('--tree is missing: the checkout of Azure Linux');
  if (facts === undefined && expanded === undefined) throw new Error('--facts or --expanded is missing');

  const lines = facts === undefined ? [] : readLines(facts);
  const all = facts === undefined ? filesBelow(expanded!) : lines.map(pathOf);
  const paths = all.filter((path) => path.includes(only));
  const tree = await openConformanceTree({ tree: treePath, rpmDirectory: values.rpm, answers: values.answers });
  const started = process.cpuUsage();
  const answers = new Map(
    paths.map((path) => [path, answerOf(tree, { treePath, path, withFacts: facts !== undefined })] as const),
  );
  const seconds = process.cpuUsage(started).user / 1e6;

  const differences = paths.flatMap((path) =>
    expanded === undefined
      ? []
      : compareExpanded(path, readFileSync(join(expanded, path)), answers.get(path)!.expanded),
  );
  for (const line of lines) {
    const answer = answers.get(pathOf(line));
    if (answer !== undefined) differences.push(...compareFacts(JSON.parse(line) as SpecFacts, answer));
  }
  const specs = paths.length;
  const agree = specs - new Set(differences.map(({ path }) => path)).size;
  if (values.json) console.log(JSON.stringify({ specs, agree, differences }));
  else {
    list(differences);
    console.log(`${agree} of ${specs} specs agree; ${seconds.toFixed(2)} s of CPU`);
  }
  if (agree !== specs) process.exitCode = 1;
}

function answerOf(
  tree: TreeEvaluator,
  { treePath, path, withFacts }: { treePath: string; path: string; withFacts: boolean },
): Answer {
  const result = tree.evaluate(path);
  return {
    facts: factsOf(path, result),
    errors: result.diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message),
    buildRequiresWithCheck: withFacts ? buildRequiresFacts(tree.evaluate(path, { with_check: '1' })) : [],
    expanded: encode(join(treePath, path), result.expandedText),
  };
}

function compareFacts(expected: SpecFacts, answer: Answer): Difference[] {
  const { path, buildrequiresWithCheck, ...rest } = expected;
  if (answer.facts === undefined) return [{ path, field: 'evaluates', rpm: true, kiln: answer.errors }];
  const { path: _path, ...facts } = answer.facts;
  const check = buildrequiresWithCheck ?? expected.source.dep['requires'] ?? [];
  return [
    ...compareValues(rest, facts),
    ...compareValues(check, answer.buildRequiresWithCheck, 'buildrequiresWithCheck'),
  ].map((difference) => ({ path, ...difference }));
}

/** The first differing line of the expanded text. */
function compareExpanded(path: string, expected: Buffer, actual: Buffer): Difference[] {
  if (expected.equals(actual)) return [];
  const [rpm, kiln] = [expected.toString('latin1').split('\n'), actual.toString('latin1').split('\n')];
  const differing = rpm.findIndex((text, index) => text !== kiln[index]);
  const line = differing < 0 ? rpm.length : differing;
  return [{ path, field: `expanded line ${line + 1}`, rpm: rpm[line], kiln: kiln[line] }];
}

/** In the bytes of the spec: those that are not UTF-8 were read byte by byte. */
function encode(file: string, text: string): Buffer {
  const bytes = readFileSync(file);
  const isUtf8 = Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
  return Buffer.from(text, isUtf8 ? 'utf8' : 'latin1');
}

function list(differences: readonly Difference[]): void {
  const byField = new Map<string, Set<string>>();
  for (const { path, field, rpm, kiln } of differences) {
    const name = field.replace(/\[\d+\]/g, '[]').replace(/ line \d+$/, '');
    byField.set(name, (byField.get(name) ?? new Set()).add(path));
    console.log(`${path}: ${field}\n  rpm:  ${shorten(rpm)}\n  kiln: ${shorten(kiln)}`);
  }
  for (const [field, specs] of [...byField].sort((a, b) => b[1].size - a[1].size)) {
    console.log(`${field}: ${specs.size} differ`);
  }
}

function readLines(file: string): string[] {
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split('\n').filter(Boolean);
}

/** The path without the answers of the line. */
function pathOf(line: string): string {
  return /"path":"([^"]+)"/.exec(line)![1]!;
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length).replace(/^\/+/, ''))
    .sort();
}
