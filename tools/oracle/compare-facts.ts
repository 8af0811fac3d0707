/**
 * Compares evaluations with recorded facts of real rpm:
 * `npx tsx tools/oracle/compare-facts.ts --tree <azurelinux> --rpm <usr/lib/rpm> --facts <facts.jsonl.gz> --answers <answers.json> [--record <path>]
 * [--only <text>] [--target <arch>] [--define 'name body']… [--without-check] [--json]`. Every spec is evaluated before the answers are opened.
 * `--without-check` leaves out the second evaluation with `with_check 1`.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { openTree } from '../azurelinux/macro-environment/evaluate-tree.ts';
import { buildRequiresFacts, factsOf, type SpecFacts } from './facts.ts';
import { openShellAnswers } from './shell-answers.ts';

/** A field that differs, with both sides. */
export interface Difference {
  readonly path: string;
  readonly field: string;
  readonly rpm: unknown;
  readonly kiln: unknown;
}

const { values } = parseArgs({
  options: {
    tree: { type: 'string' },
    rpm: { type: 'string' },
    facts: { type: 'string' },
    answers: { type: 'string' },
    record: { type: 'string' },
    only: { type: 'string', default: '' },
    target: { type: 'string', default: 'x86_64' },
    define: { type: 'string', multiple: true, default: [] },
    'without-check': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
for (const name of ['tree', 'rpm', 'facts', 'answers'] as const) {
  if (values[name] === undefined) throw new Error(`--${name} is missing`);
}
const answers = openShellAnswers(
  values.answers!,
  values.record === undefined ? undefined : { path: values.record, directory: values.tree! },
);
const tree = openTree({
  rpmDirectory: values.rpm!,
  tree: values.tree!,
  targetArch: values.target,
  lua: await createLuaPort(),
  shell: answers.answer,
});
const defines = Object.fromEntries(values.define.map((define) => /^(\S+)\s+([^]*)$/.exec(define)!.slice(1)));
const lines = gunzipSync(readFileSync(values.facts!)).toString('utf8').split('\n').filter(Boolean);
const paths = lines.map((line) => pathOf(line)).filter((path) => path.includes(values.only));

const started = process.cpuUsage();
const evaluated = new Map(
  paths.map((path) => {
    const result = tree.evaluate(path, defines);
    return [path, { facts: factsOf(path, result), result }] as const;
  }),
);
const seconds = process.cpuUsage(started).user / 1e6;
const withCheck = new Map(
  paths.map((path) => [path, buildRequiresFacts(tree.evaluate(path, { with_check: '1' }))] as const),
);
answers.save();

const differences: Difference[] = [];
for (const line of lines) {
  const expected = JSON.parse(line) as SpecFacts & { readonly failed?: string };
  const ours = evaluated.get(expected.path);
  if (ours === undefined) continue;
  if (expected.failed !== undefined) {
    if (ours.facts !== undefined)
      differences.push({ path: expected.path, field: 'evaluates', rpm: expected.failed, kiln: true });
    continue;
  }
  if (ours.facts === undefined) {
    const kiln = ours.result.diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message);
    differences.push({ path: expected.path, field: 'evaluates', rpm: true, kiln });
    continue;
  }
  const { buildrequiresWithCheck, ...rest } = expected;
  compare(expected.path, '', rest, ours.facts);
  if (values['without-check']) continue;
  const check = buildrequiresWithCheck ?? expected.source.dep['requires'] ?? [];
  compare(expected.path, 'buildrequiresWithCheck', check, withCheck.get(expected.path));
}

const differing = new Set(differences.map(({ path }) => path));
if (values.json) {
  console.log(JSON.stringify({ specs: paths.length, agree: paths.length - differing.size, differences }));
} else {
  const byField = new Map<string, Set<string>>();
  for (const { path, field } of differences) {
    const name = field.replace(/\[\d+\]/g, '[]');
    byField.set(name, (byField.get(name) ?? new Set()).add(path));
  }
  for (const [field, specs] of [...byField].sort((a, b) => b[1].size - a[1].size))
    console.log(`${field}: ${specs.size} differ`);
  for (const { path, field, rpm, kiln } of differences) {
    console.log(`${path}: ${field}\n  rpm:  ${shorten(rpm)}\n  kiln: ${shorten(kiln)}`);
  }
  console.log(
    `${paths.length - differing.size} of ${paths.length} specs agree in every field; ${seconds.toFixed(2)} s of CPU`,
  );
}

/** Walks both values; lists of dependencies are compared as wholes, shown by what only one side has. */
function compare(path: string, field: string, rpm: unknown, kiln: unknown): void {
  if (JSON.stringify(rpm) === JSON.stringify(kiln)) return;
  if (isRecord(rpm) && isRecord(kiln)) {
    for (const key of new Set([...Object.keys(rpm), ...Object.keys(kiln)])) {
      compare(path, field === '' ? key : `${field}.${key}`, rpm[key], kiln[key]);
    }
  } else if (Array.isArray(rpm) && Array.isArray(kiln)) {
    if (rpm.length === kiln.length && rpm.every(isRecord))
      rpm.forEach((item, i) => compare(path, `${field}[${i}]`, item, kiln[i]));
    else differences.push({ path, field, ...onlyOnOneSide(rpm, kiln) });
  } else differences.push({ path, field, rpm, kiln });
}

function onlyOnOneSide(rpm: readonly unknown[], kiln: readonly unknown[]): { rpm: unknown; kiln: unknown } {
  const keys = (list: readonly unknown[]): Set<string> => new Set(list.map((item) => JSON.stringify(item)));
  const [left, right] = [keys(rpm), keys(kiln)];
  const onlyLeft = rpm.filter((item) => !right.has(JSON.stringify(item)));
  const onlyRight = kiln.filter((item) => !left.has(JSON.stringify(item)));
  return onlyLeft.length + onlyRight.length === 0 ? { rpm, kiln } : { rpm: onlyLeft, kiln: onlyRight };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

/** The path without the answers of the line. */
function pathOf(line: string): string {
  return /"path":"([^"]+)"/.exec(line)![1]!;
}
