/** Asks a real rpmspec about a spec and gives its answer in the form of the facts files. */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import type { FactDependency, PackageFacts, SpecFacts } from '../oracle/facts.ts';

export interface QueryOptions {
  readonly rpmspec: string;
  /** Absolute path of the spec. */
  readonly file: string;
  /** What `path` the facts carry. */
  readonly path: string;
  readonly targetArch?: string;
  /** As `-D 'name body'`. */
  readonly defines?: Readonly<Record<string, string>>;
  /** Further arguments of every call, such as `--macros <file>`. */
  readonly options?: readonly string[];
}

export interface RpmAnswer {
  /** Undefined when rpm rejects the spec. */
  readonly facts: Omit<SpecFacts, 'buildrequiresWithCheck'> | undefined;
  /** The text of `rpmspec -P`. */
  readonly expanded: Buffer;
  readonly messages: string;
}

const SEPARATOR = '\x1f';
const DEPENDENCIES = {
  provides: 'PROVIDE',
  requires: 'REQUIRE',
  conflicts: 'CONFLICT',
  obsoletes: 'OBSOLETE',
  recommends: 'RECOMMEND',
  suggests: 'SUGGEST',
  supplements: 'SUPPLEMENT',
  enhances: 'ENHANCE',
} as const;
const LISTS = ['source', 'patch', 'exclusivearch', 'excludearch', 'buildarchs'] as const;

/** `key|value` lines; `[…]` of a missing tag prints nothing, unlike a conditional, whose text rpm 4.18 may drop. */
const FORMAT = [
  '@\\n',
  ...['NAME', 'VERSION', 'RELEASE', 'ARCH', 'LICENSE'].map((tag) => `${tag}|%{${tag}}\\n`),
  '[EPOCH|%{EPOCH}\\n][TIME|%{CHANGELOGTIME}\\n]',
  ...LISTS.map((list) => `[${list}|%{${list.toUpperCase()}}\\n]`),
  ...Object.entries(DEPENDENCIES).map(
    ([kind, tag]) =>
      `[${kind}|%{${tag}NAME}${SEPARATOR}%{${tag}FLAGS:depflags}${SEPARATOR}%{${tag}VERSION}${SEPARATOR}%{${tag}FLAGS}\\n]`,
  ),
].join('');

/** Three or four calls of rpmspec; after a failing first one no others. */
export async function queryRpm(options: QueryOptions): Promise<RpmAnswer> {
  const parsed = await run(options, ['-P']);
  if (!parsed.ok) return { facts: undefined, expanded: Buffer.alloc(0), messages: parsed.messages };
  const source = await run(options, ['-q', '--srpm', '--qf', FORMAT]);
  const all = await run(options, ['-q', '--qf', FORMAT]);
  const built = await run(options, ['-q', '--builtrpms', '--qf', '%{NAME}\\n']);
  const [main] = readPackages(source.output);
  const { messages } = source;
  if (main === undefined) return { facts: undefined, expanded: parsed.output, messages };
  return {
    facts: {
      path: options.path,
      built: built.output.toString('utf8').split('\n').slice(0, -1),
      packages: readPackages(all.output).map((binary) => {
        for (const list of LISTS) delete binary[list];
        return binary;
      }),
      source: main,
    },
    expanded: parsed.output,
    messages,
  };
}

async function run(
  { rpmspec, file, targetArch = 'x86_64', defines = {}, options = [] }: QueryOptions,
  args: readonly string[],
): Promise<{ output: Buffer; messages: string; ok: boolean }> {
  const directory = dirname(file);
  const definitions = Object.entries({ _sourcedir: directory, ...defines }).flatMap(([name, body]) => [
    '-D',
    `${name} ${body}`,
  ]);
  return new Promise((resolve) => {
    execFile(
      'bash',
      // 20 s of CPU and 2 GB: no input may take the machine down with rpm.
      [
        '-c',
        'ulimit -t 20 -v 2000000; exec "$0" "$@"',
        rpmspec,
        ...args,
        ...options,
        '--target',
        targetArch,
        ...definitions,
        file,
      ],
      { cwd: directory, encoding: 'buffer', maxBuffer: 1 << 28, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ output: stdout, messages: stderr.toString('utf8'), ok: error === null }),
    );
  });
}

type MutablePackage = { -readonly [K in keyof PackageFacts]: PackageFacts[K] } & {
  dep: Record<string, FactDependency[]>;
} & { [K in (typeof LISTS)[number]]?: string[] };

function readPackages(output: Buffer): MutablePackage[] {
  const text = output.toString('utf8');
  return text
    .split(/^@\n/m)
    .slice(1)
    .map((block) => {
      const read: MutablePackage = {
        name: '',
        version: '',
        release: '',
        arch: '',
        license: '',
        changelog_n: 0,
        dep: {},
      };
      for (const line of block.split('\n').filter(Boolean)) readField(read, line);
      return read;
    });
}

function readField(read: MutablePackage, line: string): void {
  const bar = line.indexOf('|');
  const [key, value] = [line.slice(0, bar), line.slice(bar + 1)];
  if (key === 'TIME') read.changelog_n += 1;
  else if (Object.hasOwn(DEPENDENCIES, key)) {
    const [name = '', operator = '', evr = '', flags = ''] = value.split(SEPARATOR);
    (read.dep[key] ??= []).push([name, operator.trim(), evr, Number(flags)]);
  } else if ((LISTS as readonly string[]).includes(key)) (read[key as (typeof LISTS)[number]] ??= []).push(value);
  else if (['NAME', 'VERSION', 'RELEASE', 'ARCH', 'LICENSE', 'EPOCH'].includes(key)) {
    read[key.toLowerCase() as 'name'] = value;
  } else read.license += `\n${line}`;
}
