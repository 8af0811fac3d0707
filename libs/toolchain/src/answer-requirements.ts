/** Which Debian package answers a requirement of a foreign spec, by rules over the archive's own metadata. Pure. */
import type { ArchivePackage, FileKey, FoundFiles } from './debian-archive-index.ts';
import { normalizedPythonName, pathKey } from './debian-archive-index.ts';
import { stemOf, type PackageStem } from './package-stem.ts';

/** A capability that specs ask for. */
export interface Requirement {
  readonly name: string;
  /** Absolute paths and globs that the tree's own package of that name has in its %files. */
  readonly files: readonly string[];
  /** The version of the tree's own package. */
  readonly version?: string;
  /** Its epoch: versions are compared with it. */
  readonly epoch?: number;
  /** Development packages that the tree's own package requires: they come with it. */
  readonly needs?: readonly string[];
  /** The tree's own package has programs, or what it requires of its own source package has. */
  readonly hasPrograms?: boolean;
}

/** An answer that is stated instead of found. */
export interface StatedAnswer {
  /** None when nothing has to be there. */
  readonly packages: readonly string[];
  readonly reason: string;
}

export interface Answer {
  /** The Debian packages; the first one's version counts. */
  readonly packages: readonly string[];
  /** How it was found: a kind of file, `files` of the tree's package, `name`, or `stated`. */
  readonly rule: string;
  /** The file, the names or the reason that it rests on. */
  readonly evidence: string;
  /** Packages that had as much for themselves until names decided. */
  readonly others?: readonly string[];
}

export interface AnswerContext {
  readonly archive: ReadonlyMap<string, ArchivePackage>;
  readonly files: FoundFiles;
  /** Packages of the base layer. */
  readonly base: ReadonlySet<string>;
  readonly stated: Readonly<Record<string, StatedAnswer>>;
  /** How many packages depend on each, by name. */
  readonly dependents: ReadonlyMap<string, number>;
  /** Names of packages by what they are about; see `packagesByStem`. */
  readonly stems: ReadonlyMap<string, readonly string[]>;
}

interface CapabilityRule {
  readonly rule: string;
  readonly pattern: RegExp;
  keys(match: RegExpExecArray): FileKey[];
}

/** Capabilities that stand for a file. */
const CAPABILITY_RULES: readonly CapabilityRule[] = [
  { rule: 'path', pattern: /^\/.+$/, keys: ([path]) => [pathKey(path), ...siblings(path)] },
  { rule: 'pkgconfig', pattern: /^pkgconfig\((.+)\)$/, keys: ([, name]) => [`pkgconfig ${name!}`] },
  {
    rule: 'perl',
    pattern: /^perl\(([^:].*)\)$/,
    keys: ([, name]) => [`perl ${name!.replaceAll('::', '/')}.pm`, `perl ${name!}`],
  },
  {
    rule: 'python',
    pattern: /^python3(?:\.\d+)?dist\(([^)[]+)/,
    keys: ([, name]) => [`python ${normalizedPythonName(name!)}`],
  },
  { rule: 'cmake', pattern: /^cmake\((.+)\)$/, keys: ([, name]) => [`cmake ${name!.toLowerCase()}`] },
  { rule: 'library', pattern: /^(lib[^(]+\.so[^(]*)\(/, keys: ([, name]) => [`library ${name!}`] },
  { rule: 'ocaml', pattern: /^ocamlx?\((.+)\)$/, keys: ([, name]) => [`ocaml ${name!.toLowerCase()}`] },
  { rule: 'gem', pattern: /^rubygem\((.+)\)$/, keys: ([, name]) => [`gem ${name!}`] },
  {
    rule: 'maven',
    pattern: /^mvn\(([^:]+):([^:)]+).*\)$/,
    keys: ([, group, artifact]) => [`maven ${group!.replaceAll('.', '/')}/${artifact!}`],
  },
];

/** A spec's `/usr/sbin/x` may be Debian's `/usr/bin/x`. */
function siblings(path: string): FileKey[] {
  const program = /^(?:\/usr)?\/s?bin\/([^/]+)$/.exec(path)?.[1];
  return program === undefined ? [] : [`path /usr/bin/${program}`, `path /usr/sbin/${program}`];
}

/** Names that stand for a module or a file by the customs of RPM distributions. */
const NAME_RULES: readonly CapabilityRule[] = [
  { rule: 'perl', pattern: /^perl-(.+)$/, keys: ([, name]) => [`perl ${name!.replaceAll('-', '/')}.pm`] },
  { rule: 'python', pattern: /^python3?-(.+)$/, keys: ([, name]) => [`python ${normalizedPythonName(name!)}`] },
  { rule: 'gem', pattern: /^rubygem-(.+)$/, keys: ([, name]) => [`gem ${name!}`] },
  { rule: 'ocaml', pattern: /^ocaml-(.+?)(?:-devel)?$/, keys: ([, name]) => [`ocaml ${name!}`] },
];

interface FileRule {
  readonly pattern: RegExp;
  keys(match: RegExpExecArray): FileKey[];
}

/** What a tree's development files may be found by in Debian, where the directories are others. */
const DEVELOPMENT_RULES: readonly FileRule[] = [
  { pattern: /\/pkgconfig\/([^/*]+)\.pc$/, keys: ([, name]) => [`pkgconfig ${name!}`] },
  { pattern: /^\/usr\/lib(?:64)?\/(lib[^/]+\.so[^/]*)$/, keys: ([, name]) => [`library ${name!}`] },
  { pattern: /^\/usr\/include\/(.+\.h(?:pp)?)$/, keys: ([, name]) => [`header ${name!}`] },
  { pattern: /^\/usr\/include\/([^/]+)(?:\/.*)?$/, keys: ([, name]) => [`include ${name!}`] },
];

/** The same for what is run or read. */
const PROGRAM_RULES: readonly FileRule[] = [
  { pattern: /^(?:\/usr)?\/s?bin\/[^/]+$/, keys: ([path]) => siblings(path) },
  { pattern: /^\/usr\/share\/(?:aclocal|gir-1\.0|vala\/vapi|xml|sgml)\/.+$/, keys: ([path]) => [pathKey(path)] },
];

/** The files that must be looked for to answer a requirement. */
export function keysFor({ name, files }: Requirement): FileKey[] {
  return [...capabilityKeys(name), ...files.flatMap((path) => fileKeys(withoutGlob(path)))];
}

function capabilityKeys(capability: string): FileKey[] {
  const name = withoutIsa(capability);
  return [...CAPABILITY_RULES, ...NAME_RULES].flatMap(({ pattern, keys }) => {
    const match = pattern.exec(name);
    return match === null ? [] : keys(match);
  });
}

function fileKeys(path: string, rules: readonly FileRule[] = [...DEVELOPMENT_RULES, ...PROGRAM_RULES]): FileKey[] {
  if (/[*?[{]/.test(path)) return [];
  return rules.flatMap(({ pattern, keys }) => {
    const match = pattern.exec(path);
    return match === null ? [] : keys(match);
  });
}

/** The answer, or undefined when the archive has none. The first rule that finds something decides. */
export function answerRequirement(requirement: Requirement, context: AnswerContext): Answer | undefined {
  const name = withoutIsa(requirement.name);
  const stated = context.stated[name];
  if (stated !== undefined) return { packages: stated.packages, rule: 'stated', evidence: stated.reason };
  const asked = { ...requirement, name };
  const answer =
    byCapability(CAPABILITY_RULES, asked, context) ??
    byModule(asked, context) ??
    byDevelopmentFiles(asked, context) ??
    (stemOf(name).kind === 'devel' ? byName(asked, context) : undefined) ??
    byPrograms(asked, context) ??
    byName(asked, context);
  return answer === undefined || asked.hasPrograms !== true ? answer : withPrograms(answer, context);
}

/** Debian's development packages don't depend on the programs of their library, which have packages of their own. */
const PROGRAM_PACKAGE = /-(bin|tools?|utils?|progs)$/;

function withPrograms(answer: Answer, { archive, base }: AnswerContext): Answer {
  const [first = ''] = answer.packages;
  const source = archive.get(first)?.source;
  const programs = [...archive.values()].filter(
    (one) => one.source === source && (PROGRAM_PACKAGE.test(one.name) || one.name === source) && !base.has(one.name),
  );
  const names = programs.map(({ name }) => name).filter((name) => !answer.packages.includes(name));
  return { ...answer, packages: [...answer.packages, ...names.sort()] };
}

/** What RPM distributions would call a package that has such a capability. */
function customaryName(capability: string): string {
  const [, kind = '', name = ''] = /^(\w+)\((.+)\)$/.exec(capability) ?? [];
  switch (kind) {
    case 'perl':
      return `perl-${name.replaceAll('::', '-')}`;
    case 'rubygem':
      return `rubygem-${name}`;
    case 'pkgconfig':
    case 'cmake':
      return `${name}-devel`;
    default:
      return kind.startsWith('python') ? `python3-${name}` : capability;
  }
}

/** Debian's package of the same name comes before the module that the name stands for: a tool may be called like its library. */
function byModule(requirement: Requirement, context: AnswerContext): Answer | undefined {
  const stands = NAME_RULES.some(({ pattern }) => pattern.test(requirement.name));
  if (stands && context.archive.has(requirement.name)) return byName(requirement, context);
  return byCapability(NAME_RULES, requirement, context);
}

function byCapability(
  rules: readonly CapabilityRule[],
  requirement: Requirement,
  context: AnswerContext,
): Answer | undefined {
  const { name } = requirement;
  for (const { rule, pattern, keys } of rules) {
    const match = pattern.exec(name);
    if (match === null) continue;
    for (const key of keys(match)) {
      const found = context.files.get(key);
      const names = available(
        found.flatMap(({ packages }) => packages),
        context,
      );
      const answer = choose(names, { ...requirement, name: customaryName(name) }, context);
      if (answer === undefined) continue;
      const evidence = found.find(({ packages }) => packages.includes(answer.packages[0]!))!.path;
      return { ...answer, rule, evidence };
    }
  }
  return undefined;
}

/**
 * Debian may have split what is one package in the tree: the packages that together have most of its headers, libraries and `.pc` files, the one
 * with most of them first.
 */
function byDevelopmentFiles(requirement: Requirement, context: AnswerContext): Answer | undefined {
  if (stemOf(requirement.name).kind !== 'devel') return undefined;
  const owners = ownersOf(requirement, DEVELOPMENT_RULES, context);
  const answer = mostOf(owners, requirement, context);
  if (answer === undefined) return undefined;
  const packages = [...answer.packages];
  for (let rest = without(owners, packages); rest.size > 0; rest = without(rest, packages)) {
    const next = mostOf(rest, requirement, context)!.packages[0]!;
    if (!/-dev$|-headers$/.test(next)) break;
    packages.push(next);
  }
  return { ...answer, packages };
}

/** Files by which packages have them, without those that one of the packages has. */
function without(
  owners: ReadonlyMap<string, readonly string[]>,
  packages: readonly string[],
): Map<string, readonly string[]> {
  return new Map([...owners].filter(([, names]) => !names.some((name) => packages.includes(name))));
}

function byPrograms(requirement: Requirement, context: AnswerContext): Answer | undefined {
  const rules = stemOf(requirement.name).kind === 'devel' ? PROGRAM_RULES : [...PROGRAM_RULES, ...DEVELOPMENT_RULES];
  return mostOf(ownersOf(requirement, rules, context), requirement, context);
}

/** The packages that have each file of the tree's own package. */
function ownersOf(
  { files }: Requirement,
  rules: readonly FileRule[],
  context: AnswerContext,
): Map<string, readonly string[]> {
  const owners = files.map((path): [string, string[]] => {
    const found = fileKeys(withoutGlob(path), rules).map((key) => context.files.get(key));
    const [first = []] = found.filter((list) => list.length > 0);
    return [
      path,
      available(
        first.flatMap(({ packages }) => packages),
        context,
      ),
    ];
  });
  return new Map(owners.filter(([, names]) => names.length > 0));
}

/** The package that has most of the files; one with the fitting name comes before all others. */
function mostOf(
  owners: ReadonlyMap<string, readonly string[]>,
  requirement: Requirement,
  context: AnswerContext,
): Answer | undefined {
  const votes = new Map<string, string[]>();
  for (const [path, names] of owners)
    for (const name of new Set(names)) votes.set(name, [...(votes.get(name) ?? []), path]);
  const most = Math.max(0, ...[...votes.values()].map((list) => list.length));
  const fitting = [...votes].filter(([one]) => fits(requirement.name, one, context)).map(([one]) => one);
  const best = fitting.length > 0 ? fitting : [...votes].filter(([, list]) => list.length === most).map(([one]) => one);
  const answer = choose(best, requirement, context);
  if (answer === undefined) return undefined;
  const own = votes.get(answer.packages[0]!)!;
  return { ...answer, rule: 'files', evidence: own.length === 1 ? own[0]! : `${own[0]!} and ${own.length - 1} more` };
}

/** `/usr/include/x/*` stands for the directory; any other glob for nothing. */
function withoutGlob(path: string): string {
  return path.replace(/\/\*+(\.[a-z]+)?$/, '').replace(/(\/pkgconfig\/[^/*]+)\.\*$/, '$1.pc');
}

/** A package that is called like it: the same name, then one whose name differs only by the customs of the two worlds. */
function byName(requirement: Requirement, context: AnswerContext): Answer | undefined {
  const { name } = requirement;
  if (context.archive.has(name)) return { packages: [name], rule: 'name', evidence: 'the same name' };
  if (!/^[A-Za-z0-9][\w.+-]*$/.test(name)) return undefined;
  const own = stemOf(name);
  const kinds = own.kind === 'devel' ? (['devel'] as const) : (['main', 'libs'] as const);
  const fitting = kinds.flatMap((kind) => context.stems.get(stemKey({ ...own, kind })) ?? []);
  const answer = choose(fitting, requirement, context);
  return answer === undefined ? undefined : { ...answer, rule: 'name', evidence: `the stem '${stemOf(name).stem}'` };
}

/** Packages by stem and kind; development packages also by that of their source. */
export function packagesByStem(archive: ReadonlyMap<string, ArchivePackage>): Map<string, string[]> {
  const stems = new Map<string, string[]>();
  for (const { name, source } of archive.values()) {
    if (UNFIT.test(name)) continue;
    const own = stemOf(name);
    const keys = new Set([stemKey(own)]);
    if (own.kind === 'devel') keys.add(stemKey({ ...stemOf(source), kind: 'devel' }));
    for (const key of keys) stems.set(key, [...(stems.get(key) ?? []), name]);
  }
  return stems;
}

function stemKey({ stem, kind }: Pick<PackageStem, 'stem' | 'kind'>): string {
  return `${kind} ${stem}`;
}

function fits(name: string, candidate: string, { stems }: AnswerContext): boolean {
  return stems.get(stemKey(stemOf(name)))?.includes(candidate) === true;
}

/**
 * One of several packages: one of the base layer, then the one whose name has the wanted stem, then the one whose name has the wanted version, then the one that most packages of the archive depend on,
 * then the shortest, then the first name.
 */
function choose(
  names: readonly string[],
  { name, version = '' }: Requirement,
  context: AnswerContext,
): Answer | undefined {
  const { base, dependents } = context;
  const wanted = stemOf(name);
  const rank = (one: string): number[] => {
    const found = stemOf(one);
    return [
      base.has(one) ? 0 : 1,
      found.stem === wanted.stem ? 0 : 1,
      found.version === wanted.version && found.version !== '' ? 0 : 1,
      isVersionOf(found.version, version) ? 0 : 1,
      -(dependents.get(one) ?? 0),
      one.length,
    ];
  };
  const sorted = [...new Set(names)].sort((a, b) => compareRanks(rank(a), rank(b)) || (a < b ? -1 : 1));
  const [first, ...others] = sorted;
  if (first === undefined) return undefined;
  return { packages: [first], rule: '', evidence: '', ...(others.length === 0 ? {} : { others: others.slice(0, 5) }) };
}

/** `5.4` is a version of 5.4.6; no number in the name is one of every version. */
function isVersionOf(numbers: string, version: string): boolean {
  const [first = ''] = numbers.split('-');
  return first === '' || version === first || version.startsWith(`${first}.`);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

/** Hold debugging symbols or are for other machines. */
const UNFIT = /-(dbg|dbgsym|cross)$|-cross-|-udeb$/;

/** Packages that Contents names and Packages has. */
function available(names: readonly string[], { archive }: AnswerContext): string[] {
  return names.filter((one) => archive.has(one) && !UNFIT.test(one));
}

/** `zlib-devel(x86-64)` is asked for as `zlib-devel`. */
function withoutIsa(name: string): string {
  return name.replace(/\((x86-64|aarch-64)\)$/, '');
}
