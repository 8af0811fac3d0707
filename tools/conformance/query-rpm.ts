/** Asks a real rpmspec about a spec and gives its answer in the form of the facts files. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FactDependency, PackageFacts, SpecFacts } from '../oracle/facts.ts';
import { HEADER_TAGS, type SpecHeaders } from '../oracle/header-facts.ts';

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
  /** What the headers hold beyond the facts. */
  readonly headers?: SpecHeaders | undefined;
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

/** Ends each field: values may have any number of lines. */
const END = '\x1e';
/** `key|value` fields; `[…]` of a missing tag prints nothing, unlike a conditional, whose text rpm 4.18 may drop. */
const FORMAT = [
  `@${END}`,
  ...['NAME', 'VERSION', 'RELEASE', 'ARCH', 'LICENSE'].map((tag) => `${tag}|%{${tag}}${END}`),
  `[EPOCH|%{EPOCH}${END}]`,
  ...LISTS.map((list) => `[${list}|%{${list.toUpperCase()}}${END}]`),
  ...HEADER_TAGS.map((tag) => `[header.${tag}|%{${tag.toUpperCase()}}${END}]`),
  ...Object.entries(DEPENDENCIES).map(
    ([kind, tag]) =>
      `[${kind}|%{${tag}NAME}${SEPARATOR}%{${tag}FLAGS:depflags}${SEPARATOR}%{${tag}VERSION}${SEPARATOR}%{${tag}FLAGS}${END}]`,
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
  const packages = readPackages(all.output);
  const names = built.output.toString('utf8').split('\n').slice(0, -1);
  return { ...answerFrom(options.path, { main, packages, built: names }), expanded: parsed.output, messages };
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
    const rest = { expanded: parsed[index]!, messages: '' };
    if (main === undefined) return { facts: undefined, ...rest };
    const names = built[index]!.split('\n').slice(0, -1);
    return { ...answerFrom(options.path, { main, packages: all[index]!, built: names }), ...rest };
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

function splitPackages(output: Buffer): ReadPackage[][] {
  const parts: ReadPackage[][] = [[]];
  for (const read of readPackages(output)) {
    if (read.facts.name === 'kiln-sentinel') parts.push([]);
    else parts.at(-1)!.push(read);
  }
  return parts;
}

function answerFrom(
  path: string,
  { main, packages, built }: { main: ReadPackage; packages: readonly ReadPackage[]; built: string[] },
): Required<Pick<RpmAnswer, 'facts' | 'headers'>> {
  for (const { facts } of packages) for (const list of LISTS) delete facts[list];
  return {
    facts: { path, built, packages: packages.map(({ facts }) => facts), source: main.facts },
    headers: { source: main.header, packages: packages.map(({ header }) => header) },
  };
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
      // 20 s of CPU and 2 GB: no input may take the machine down with rpm. Without --norc bash may take its socket for a remote
      // login and read start-up files.
      [
        '--norc',
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

interface ReadPackage {
  readonly facts: MutablePackage;
  readonly header: Record<string, string[]>;
}

function readPackages(output: Buffer): ReadPackage[] {
  const packages: ReadPackage[] = [];
  for (const field of output.toString('utf8').split(END).slice(0, -1)) {
    if (field === '@') {
      const facts = { name: '', version: '', release: '', arch: '', license: '', changelog_n: 0, dep: {} };
      packages.push({ facts, header: {} });
    } else readField(packages.at(-1)!, field);
  }
  return packages;
}

function readField({ facts, header }: ReadPackage, field: string): void {
  const bar = field.indexOf('|');
  const [key, value] = [field.slice(0, bar), field.slice(bar + 1)];
  if (key.startsWith('header.')) {
    const tag = key.slice('header.'.length);
    (header[tag] ??= []).push(value);
    if (tag === 'changelogtime') facts.changelog_n += 1;
  } else if (Object.hasOwn(DEPENDENCIES, key)) {
    const [name = '', operator = '', evr = '', flags = ''] = value.split(SEPARATOR);
    (facts.dep[key] ??= []).push([name, operator.trim(), evr, Number(flags)]);
  } else if ((LISTS as readonly string[]).includes(key)) (facts[key as (typeof LISTS)[number]] ??= []).push(value);
  else facts[key.toLowerCase() as 'name'] = value;
}
