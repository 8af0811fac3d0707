/** The same questions to our resolver and to libsolv: can it be installed, and what comes with it. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ProviderIndex, resolveClosure, type Closure, type Provider } from '@kiln/package-graph';
import { formatNevra, parseDependency } from '@kiln/rpm-package';
import { readRepomd, readRepository, repositoryDirectory } from '@kiln/rpm-repository';
import { randomRepository } from '../../libs/package-graph/test/random-repository.ts';
import { repository } from '../../libs/package-graph/test/repository-text.ts';

/** What libsolv would install; null when it finds no solution. */
interface Answer {
  readonly members: readonly string[] | null;
}

interface Comparison {
  readonly title: string;
  readonly questions: number;
  readonly solvable: number;
  /** One side solves what the other doesn't. */
  readonly solvability: readonly Difference[];
  /** Both solve it, with other packages. */
  readonly choice: readonly Difference[];
}

interface Difference {
  readonly question: string;
  readonly kiln: readonly string[] | null;
  readonly libsolv: readonly string[] | null;
}

const SHOWN = 5;

export async function compareSolver(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      random: { type: 'string' },
      metadata: { type: 'string', multiple: true },
      python: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const ask = (question: object): readonly Answer[] => askLibsolv(values.python ?? '/usr/bin/python3', question);
  const comparisons: Comparison[] = [];
  if (values.random !== undefined) comparisons.push(compareRandom(Number(values.random), ask));
  for (const directory of values.metadata ?? []) comparisons.push(await compareMetadata(resolve(directory), ask));
  if (comparisons.length === 0) throw new Error('name what to compare: --random <count>, --metadata <repository>');
  if (values.json === true) console.log(JSON.stringify(comparisons, undefined, 1));
  else comparisons.forEach(print);
  if (comparisons.some(isWrong)) process.exitCode = 1;
}

function askLibsolv(python: string, question: object): readonly Answer[] {
  const script = join(import.meta.dirname, 'libsolv.py');
  const input = JSON.stringify(question);
  const { status, signal, stdout, stderr } = spawnSync(python, [script], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (status === 0) return JSON.parse(stdout) as readonly Answer[];
  const hint = stderr?.includes('ModuleNotFoundError') ? '; install python3-solv, or name another --python' : '';
  throw new Error(`${python} ${script}: ${signal ?? ''}${stderr}${hint}`);
}

type Ask = (question: object) => readonly Answer[];

function compareRandom(count: number, ask: Ask): Comparison {
  const cases = Array.from({ length: count }, (_, seed) => unambiguous(randomRepository(seed + 1)));
  const answers = ask({ cases });
  return compare(
    `${count} random repositories`,
    cases.map(({ packages, requirements }, index) => {
      const providers = repository(packages.join('\n'));
      const ours = resolveClosure(new ProviderIndex(providers), requirements.map(parseDependency));
      const question = [`seed ${index + 1}: ${requirements.join('; ')}`, ...packages].join('\n');
      return { question, kiln: installed(ours, 'x86_64'), libsolv: answers[index]!.members };
    }),
  );
}

interface TextCase {
  readonly packages: readonly string[];
  readonly requirements: readonly string[];
}

/** rpm and libsolv differ on capabilities without version and on versions without release: here all are complete. */
function unambiguous({ packages, requirements }: TextCase): TextCase {
  const complete = (text: string) => text.replace(/(<=|>=|<|>|=) (\d(?:~rc)?)(?![-\d~])/g, '$1 $2-1');
  const line = (text: string) => {
    if (text.startsWith('P:')) return text;
    return text.startsWith('+ ') && !text.includes('=') ? `${text} = 1-1` : complete(text);
  };
  return {
    packages: packages.map((one) => one.split('\n').map(line).join('\n')),
    requirements: requirements.map(complete),
  };
}

async function compareMetadata(directory: string, ask: Ask): Promise<Comparison> {
  const source = repositoryDirectory(directory);
  const { files } = await readRepomd(source);
  const path = (type: string) => join(directory, files.get(type)!.path);
  const packages = (await readRepository(source)).filter(({ arch }) => !arch.endsWith('src'));
  const providers = packages.map((one): Provider => ({ ...one, origin: one.sourceRpm ?? one.name }));
  const index = new ProviderIndex(providers);
  const answers = new Map(
    ask({ primary: path('primary'), filelists: path('filelists') }).map((one) => [
      (one as Answer & { package: string }).package,
      one.members,
    ]),
  );
  return compare(
    directory,
    providers.map((one) => {
      const root = { name: one.name, operator: '=', evr: one.evr } as const;
      const question = formatNevra(one);
      return { question, kiln: installed(resolveClosure(index, [root])), libsolv: answers.get(question) ?? null };
    }),
  );
}

function installed({ members, unresolved, conflicts }: Closure, arch?: string): readonly string[] | null {
  if (unresolved.length + conflicts.length > 0) return null;
  return members.map((one) => formatNevra(arch === undefined ? one : { ...one, arch })).sort();
}

function compare(title: string, answers: readonly Difference[]): Comparison {
  const isSolved = ({ libsolv }: Difference) => libsolv !== null;
  const solvability = answers.filter(({ kiln, libsolv }) => (kiln === null) !== (libsolv === null));
  const choice = answers.filter(
    ({ kiln, libsolv }) => kiln !== null && libsolv !== null && kiln.join('\n') !== libsolv.join('\n'),
  );
  return { title, questions: answers.length, solvable: answers.filter(isSolved).length, solvability, choice };
}

/** Random repositories are full of equal candidates, of which either may be taken. */
function isWrong({ title, solvability, choice }: Comparison): boolean {
  return solvability.length > 0 || (choice.length > 0 && !title.endsWith('random repositories'));
}

function print({ title, questions, solvable, solvability, choice }: Comparison): void {
  console.log(
    `${title}: ${questions} questions, ${solvable} solvable, ${solvability.length} differ in that, ${choice.length} in the choice`,
  );
  for (const { question, kiln, libsolv } of [...solvability, ...choice].slice(0, SHOWN)) {
    console.log(`  ${question.replaceAll('\n', '\n    ')}`);
    console.log(
      `    Kiln     ${kiln?.join(' ') ?? 'no solution'}\n    libsolv  ${libsolv?.join(' ') ?? 'no solution'}`,
    );
  }
}
