/**
 * Proves the fuzzer: `npx tsx tools/fuzz/mutants.ts [--rpmlua <rpmlua>] [--rpmspec <rpmspec>] [--texts 20000] [--specs 2000]`.
 * `--record <file>` only writes the inputs with rpm's answers, for tests without rpm and shell; `--inputs <file>` takes the
 * inputs from a JSON object of two lists, `texts` and `specs`.
 *
 * rpm answers generated inputs once; then each fault of mutations.ts is put into a copy of the libraries, and the copy has to
 * differ from rpm on one of the inputs.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCorpus } from './corpus.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

const OPTIONS = {
  rpmlua: { type: 'string', default: 'rpmlua' },
  rpmspec: { type: 'string', default: 'rpmspec' },
  texts: { type: 'string', default: '20000' },
  specs: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1000' },
  only: { type: 'string' },
  record: { type: 'string' },
  inputs: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

const WORKSPACE = fileURLToPath(new URL('../..', import.meta.url));
const LIBRARIES = ['diagnostics', 'rpm-package', 'rpm-macro', 'rpm-spec'];

interface Fate {
  readonly mutation: Mutation;
  readonly fate: 'killed' | 'survived' | 'crashed' | 'not applicable';
  readonly by?: string;
}

/** Runs the proof and prints its result. */
export async function killMutants(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const directory = mkdtempSync(join(tmpdir(), 'kiln-mutants-'));
  try {
    const corpus = join(directory, 'corpus.json');
    const { rpmlua, rpmspec } = values;
    const sizes = { texts: Number(values.texts), specs: Number(values.specs), seed: Number(values.seed) };
    const inputs =
      values.inputs === undefined
        ? undefined
        : (JSON.parse(readFileSync(values.inputs, 'utf8')) as { texts: string[]; specs: string[] });
    const made = await makeCorpus(directory, { rpmlua, rpmspec, ...sizes, inputs });
    if (values.record !== undefined) {
      const texts = made.texts.filter(({ text, rpm }) => !text.includes('%(') && rpm.died !== true);
      writeFileSync(values.record, `${JSON.stringify({ ...made, texts })}\n`);
      return;
    }
    writeFileSync(corpus, JSON.stringify(made));
    const copy = copyWorkspace(join(directory, 'copy'));
    const sound = check(copy, corpus);
    if (sound !== null) throw new Error(`the evaluator differs without any fault on ${JSON.stringify(sound)}`);
    const fates = MUTATIONS.filter((_, index) => values.only === undefined || Number(values.only) === index).map(
      (mutation) => {
        const fate = apply(mutation, copy, corpus);
        if (!values.json) process.stderr.write(`${fate.fate}: ${mutation.file}: ${mutation.from.slice(0, 60)}\n`);
        return fate;
      },
    );
    report(fates, values.json);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The libraries and tools as they are, in a place where they can be changed. */
function copyWorkspace(copy: string): string {
  for (const library of LIBRARIES) {
    mkdirSync(join(copy, 'libs', library), { recursive: true });
    for (const part of ['src', 'package.json']) {
      cpSync(join(WORKSPACE, 'libs', library, part), join(copy, 'libs', library, part), { recursive: true });
    }
  }
  cpSync(join(WORKSPACE, 'tools'), join(copy, 'tools'), { recursive: true });
  mkdirSync(join(copy, 'node_modules/@kiln'), { recursive: true });
  for (const library of LIBRARIES) symlinkSync(join('../../libs', library), join(copy, 'node_modules/@kiln', library));
  for (const name of ['wasmoon', 'tsx', 'esbuild', 'get-tsconfig', 'resolve-pkg-maps', '@esbuild', '@types']) {
    symlinkSync(join(WORKSPACE, 'node_modules', name), join(copy, 'node_modules', name));
  }
  writeFileSync(join(copy, 'package.json'), '{"type":"module"}\n');
  return copy;
}

function check(copy: string, corpus: string): unknown {
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(copy, 'tools/fuzz/check-corpus.ts'), corpus],
    { cwd: copy, encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 26 },
  );
  if (status !== 0) throw new Error(stderr.slice(-1000) || 'timeout');
  return JSON.parse(stdout);
}

function apply(mutation: Mutation, copy: string, corpus: string): Fate {
  const file = join(copy, 'libs', mutation.file);
  const text = readFileSync(file, 'utf8');
  if (text.split(mutation.from).length !== 2) return { mutation, fate: 'not applicable' };
  writeFileSync(
    file,
    text.replace(mutation.from, () => mutation.to),
  );
  try {
    const by = check(copy, corpus);
    return by === null ? { mutation, fate: 'survived' } : { mutation, fate: 'killed', by: String(by) };
  } catch (error) {
    return { mutation, fate: 'crashed', by: (error as Error).message };
  } finally {
    writeFileSync(file, text);
  }
}

function report(fates: readonly Fate[], json: boolean): void {
  const count = (fate: Fate['fate']): number => fates.filter((one) => one.fate === fate).length;
  const result = { mutations: fates.length, killed: count('killed') + count('crashed'), survived: count('survived') };
  if (json) console.log(JSON.stringify({ ...result, fates }));
  else {
    for (const { mutation, fate, by } of fates) {
      if (fate !== 'killed') console.log(`${fate}: ${mutation.file}: ${mutation.from} -> ${mutation.to} ${by ?? ''}`);
    }
    console.log(`${result.killed} of ${result.mutations} faults found`);
  }
  if (count('survived') + count('not applicable') > 5) process.exitCode = 1;
}
