/**
 * Compares evaluations of changed specs with a real rpm that has the same macro files:
 * `npx tsx tools/conformance/mutations.ts --tree <azurelinux> --rpmspec <rpmspec> --releaseversions <file>
 * [--rpm <directory>] [--count 300] [--from 0] [--seed 1] [--jobs 2] [--only <text>] [--without <macro file>]… [--json]`.
 *
 * Input `n` of a seed takes one spec of the tree after the other and changes its text, its defines or the target architecture.
 * Everything is compared: facts, headers, the expanded text. It has to run where rpm finds its own and the distribution's macro
 * files, the `macros.releaseversions` given here, and the worker root's programs: both sides run the commands of specs there.
 * `--only` takes specs whose path contains the text; `--without macros.perl` leaves out macro files on both sides.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { specsBelow, type TreeEvaluator } from '../azurelinux/macro-environment/evaluate-tree.ts';
import { Random } from '../fuzz/random.ts';
import { factsOf } from '../oracle/facts.ts';
import { headerFactsOf } from '../oracle/header-facts.ts';
import { compareValues, shorten, type FieldDifference } from './compare.ts';
import { openConformanceTree } from './conformance-tree.ts';
import { mutateSpec, type MutatedInput } from './mutate-spec.ts';
import { HOME, queryRpm } from './query-rpm.ts';

interface MutationDifference {
  readonly index: number;
  readonly path: string;
  readonly changes: readonly string[];
  readonly fields: readonly FieldDifference[];
  readonly rpmMessages: string;
  readonly kilnMessages: readonly string[];
}

const OPTIONS = {
  tree: { type: 'string' },
  rpm: { type: 'string', default: '/usr/lib/rpm' },
  rpmspec: { type: 'string', default: 'rpmspec' },
  releaseversions: { type: 'string' },
  only: { type: 'string', default: '' },
  without: { type: 'string', multiple: true },
  count: { type: 'string', default: '300' },
  from: { type: 'string', default: '0' },
  seed: { type: 'string', default: '1' },
  jobs: { type: 'string', default: '2' },
  json: { type: 'boolean', default: false },
} as const;

const DEFINES = { with_check: '0', dist: '.azl3', azl: '3' };

/** Runs the comparison and prints its result. */
export async function compareMutations(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const { tree, rpm, rpmspec, releaseversions, without = [] } = values;
  if (tree === undefined || releaseversions === undefined) throw new Error('--tree or --releaseversions is missing');
  const directory = mkdtempSync(join(tmpdir(), 'kiln-mutations-'));
  const releaseVersions = readFileSync(releaseversions, 'utf8');
  const common = { tree, rpmDirectory: rpm, releaseVersions, without };
  const open = async (targetArch: string): Promise<OpenedTree> => {
    const shell = openShell();
    return { shell, evaluator: await openConformanceTree({ ...common, targetArch, shell: shell.run }) };
  };
  const trees = { x86_64: await open('x86_64'), aarch64: await open('aarch64') };
  const specs = ['SPECS', 'SPECS-EXTENDED', 'SPECS-SIGNED']
    .flatMap((root) => specsBelow(tree, root))
    .filter((path) => path.includes(values.only));
  const end = Number(values.from) + Number(values.count);
  const differences: MutationDifference[] = [];
  let [next, rejected, done] = [Number(values.from), 0, 0];
  const worker = async (): Promise<void> => {
    while (next < end) {
      const index = next;
      next += 1;
      const random = new Random(Number(values.seed), index);
      const path = specs[index % specs.length]!;
      const place = join(directory, String(index));
      const file = writeMutant(join(tree, path), place, random);
      const { input } = file;
      const answer = await queryRpm({
        ...{ rpmspec, file: file.file, path, targetArch: input.targetArch },
        defines: { ...DEFINES, ...input.defines },
        options: without.length === 0 ? [] : ['--macros', macroFiles(trees[input.targetArch].evaluator)],
      });
      if (answer.facts === undefined) rejected += 1;
      const { fields, messages } = judge(trees[input.targetArch], { path, file: file.file, input, answer });
      if (fields.length > 0) {
        const { changes } = input;
        const rpmMessages = answer.messages.slice(-600);
        const difference = { index, path, changes, fields, rpmMessages, kilnMessages: messages };
        differences.push(difference);
        if (!values.json) show(difference);
      }
      rmSync(place, { recursive: true, force: true });
      done += 1;
      if (!values.json && done % 20 === 0)
        process.stderr.write(`\r${done}, ${rejected} rejected, ${differences.length} differences `);
    }
  };
  try {
    await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  report({ inputs: done, agree: done - differences.length, rejected, differences }, values.json);
}

interface OpenedTree {
  readonly shell: ReturnType<typeof openShell>;
  readonly evaluator: TreeEvaluator;
}

/** Runs commands as rpm does, in the directory of the spec; each once for a spec. */
function openShell(): { run: (command: string) => string; enter: (directory: string) => void } {
  let cwd = '/';
  const answers = new Map<string, string>();
  return {
    enter: (directory) => {
      cwd = directory;
      answers.clear();
    },
    run: (command) => {
      // What the evaluator asks instead of looking at the clock; rpm looks.
      if (command === 'date +%s') return String(Math.floor(Date.now() / 1000));
      let answer = answers.get(command);
      if (answer === undefined) {
        const env = { ...process.env, HOME, BASH_ENV: '' };
        const stdio = ['ignore', 'pipe', 'ignore'] as const;
        answer = spawnSync('/bin/sh', ['-c', command], { cwd, env, encoding: 'utf8', stdio: [...stdio] }).stdout ?? '';
        answers.set(command, answer);
      }
      return answer;
    },
  };
}

function macroFiles({ assembled }: TreeEvaluator): string {
  return assembled.environment.files.map(({ file }) => file).join(':');
}

/** A directory like the spec's own, with the changed spec in it. */
function writeMutant(original: string, place: string, random: Random): { file: string; input: MutatedInput } {
  mkdirSync(place);
  for (const name of readdirSync(dirname(original))) {
    if (name !== basename(original)) symlinkSync(join(dirname(original), name), join(place, name));
  }
  const input = mutateSpec(readFileSync(original, 'latin1'), random);
  const file = join(place, basename(original));
  writeFileSync(file, input.text, 'latin1');
  return { file, input };
}

function judge(
  { shell, evaluator }: OpenedTree,
  {
    path,
    file,
    input,
    answer,
  }: { path: string; file: string; input: MutatedInput; answer: Awaited<ReturnType<typeof queryRpm>> },
): { fields: FieldDifference[]; messages: string[] } {
  shell.enter(dirname(file));
  const kiln = evaluator.evaluate(file, input.defines);
  const messages = kiln.diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  const facts = factsOf(path, kiln);
  if (answer.facts === undefined && facts === undefined) return { fields: [], messages };
  if (answer.facts === undefined || facts === undefined) {
    return { fields: [{ field: 'evaluates', rpm: answer.facts !== undefined, kiln: facts !== undefined }], messages };
  }
  const isUtf8 = Buffer.from(input.text, 'latin1').equals(
    Buffer.from(Buffer.from(input.text, 'latin1').toString('utf8'), 'utf8'),
  );
  const expanded = Buffer.from(kiln.expandedText, isUtf8 ? 'utf8' : 'latin1');
  // Names of temporary files are random in rpm.
  const lines = (text: Buffer): string[] =>
    text
      .toString('latin1')
      .replace(/\/tmp\/lua_\w{6}/g, '/tmp/lua')
      .split('\n');
  const texts = compareValues(lines(answer.expanded), lines(expanded), 'expanded');
  const headers = compareValues(answer.headers, headerFactsOf(kiln));
  return { fields: [...compareValues(answer.facts, facts), ...headers, ...texts], messages };
}

function show({ index, path, changes, fields, rpmMessages, kilnMessages }: MutationDifference): void {
  console.log(`\n#${index} ${path}: ${changes.join(', ')}`);
  for (const { field, rpm, kiln } of fields) {
    console.log(`  ${field}\n    rpm:  ${shorten(rpm)}\n    kiln: ${shorten(kiln)}`);
  }
  console.log(`  rpm says:  ${shorten(rpmMessages)}\n  kiln says: ${shorten(kilnMessages)}`);
}

function report(
  result: { inputs: number; agree: number; rejected: number; differences: readonly MutationDifference[] },
  json: boolean,
): void {
  if (json) console.log(JSON.stringify(result));
  else {
    const { inputs, rejected, differences } = result;
    console.log(`${inputs} inputs (${rejected} rejected by rpm), ${differences.length} differences`);
  }
  if (result.differences.length > 0) process.exitCode = 1;
}
