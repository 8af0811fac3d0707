/** Asks a real rpmspec about a spec and gives its answer in the form of the facts files. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** The home directory that both sides see. */
export const HOME = '/root';
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
    facts: factsFrom(options.path, {
      main,
      packages: readPackages(all.output),
      built: built.output.toString('utf8').split('\n').slice(0, -1),
    }),
    expanded: parsed.output,
    messages,
  };
}

const SENTINEL = [
  ...[
    'Name: kiln-sentinel',
    'Version: 1',
    'Release: 1',
    'Summary: x',
    'License: x',
    '%description',
    'kiln sentinel text',
  ],
  ...['%files', ''],
].join('\n');

/**
 * The answers for many specs from three or four calls in all; rpmspec forgets macros between specs, but not what Lua scripts
 * leave. Undefined when rpm died on one of them. All specs stand in one directory.
 */
export async function queryRpmBatch(
  options: QueryOptions,
  files: readonly string[],
): Promise<readonly RpmAnswer[] | undefined> {
  const sentinel = join(dirname(files[0]!), 'kiln-sentinel.spec');
  writeFileSync(sentinel, SENTINEL);
  const inTurn = { ...options, file: sentinel, files: files.flatMap((file) => [file, sentinel]) };
  const mark = (await run({ ...options, file: sentinel }, ['-P'])).output;
  const [parsed, source, all, built] = [
    splitBytes((await run(inTurn, ['-P'])).output, mark),
    splitPackages((await run(inTurn, ['-q', '--srpm', '--qf', FORMAT])).output),
    splitPackages((await run(inTurn, ['-q', '--qf', FORMAT])).output),
    (await run(inTurn, ['-q', '--builtrpms', '--qf', '%{NAME}\\n'])).output.toString('utf8').split('kiln-sentinel\n'),
  ];
  const expected = files.length + 1;
  if ([parsed, source, all, built].some((parts) => parts.length !== expected)) return undefined;
  return files.map((_, index): RpmAnswer => {
    const [main] = source[index]!;
    const facts =
      main === undefined
        ? undefined
        : factsFrom(options.path, { main, packages: all[index]!, built: built[index]!.split('\n').slice(0, -1) });
    return { facts, expanded: parsed[index]!, messages: '' };
  });
}

function splitBytes(bytes: Buffer, mark: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, from)) {
    parts.push(bytes.subarray(from, at));
    from = at + mark.length;
  }
  return [...parts, bytes.subarray(from)];
}

function splitPackages(output: Buffer): MutablePackage[][] {
  const parts: MutablePackage[][] = [[]];
  for (const read of readPackages(output)) {
    if (read.name === 'kiln-sentinel') parts.push([]);
    else parts.at(-1)!.push(read);
  }
  return parts;
}

function factsFrom(
  path: string,
  { main, packages, built }: { main: MutablePackage; packages: MutablePackage[]; built: string[] },
): NonNullable<RpmAnswer['facts']> {
  for (const binary of packages) for (const list of LISTS) delete binary[list];
  return { path, built, packages, source: main };
}

async function run(
  {
    rpmspec,
    file,
    files = [file],
    targetArch = 'x86_64',
    defines = {},
    options = [],
  }: QueryOptions & { files?: readonly string[] },
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
        ...files,
      ],
      {
        cwd: directory,
        env: { ...process.env, HOME, BASH_ENV: '' },
        encoding: 'buffer',
        maxBuffer: 1 << 28,
        timeout: 120_000,
      },
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
