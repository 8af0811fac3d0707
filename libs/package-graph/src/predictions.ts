/**
 * Predictions of what rpm's dependency generators will find, from names and %files lines, for capabilities that nobody states. They
 * are guesses with their evidence, to be verified by the first build. The strongest rule that says anything about a capability decides.
 */
import { isDebugPackage } from '@kiln/rpm-package';

/** What is known of a package before it is built. */
export interface PredictablePackage {
  readonly name: string;
  /** Id of the source package. */
  readonly origin: string;
  readonly sourceName: string;
  /** Paths and globs of its %files section. */
  readonly files: readonly string[];
}

export interface Prediction {
  readonly capability: string;
  readonly package: string;
  readonly origin: string;
  readonly rule: PredictionRule;
  /** The path, glob or name that it was concluded from. */
  readonly evidence: string;
}

export type PredictionRule = 'path' | 'glob' | 'name' | 'name of the distribution' | 'glob and name';

/** What a kind of capabilities says of the package that has it. */
interface Kind {
  readonly pattern: RegExp;
  /** What each such file's path has: most paths are told apart by it alone. */
  readonly file: RegExp;
  /** The last part of those paths, where the name says it. */
  readonly baseName?: (name: string) => string;
  /** Ends of the paths of the files that make the generator provide it. */
  readonly files: (name: string) => readonly RegExp[];
  /** A file of that kind, for the globs. */
  readonly examples: (name: string) => readonly string[];
  /** Names of packages that are named by the capability, the best first. */
  readonly packages: (name: string) => readonly string[];
  /** Names of packages that may have it beside other things: they need a fitting glob, or to be a distribution of modules. */
  readonly relatives: (name: string) => readonly (string | RegExp)[];
}

/** rpm's fileattrs: pkgconfig.attr, perllib.attr, pythondist.attr, and plain paths. */
const KINDS: readonly Kind[] = [
  {
    pattern: /^pkgconfig\((.+)\)$/,
    file: /\.pc$/,
    baseName: (name) => `${name}.pc`,
    files: (name) => [new RegExp(`/pkgconfig/${escape(name)}\\.pc$`)],
    examples: (name) => [`/usr/lib/pkgconfig/${name}.pc`, `/usr/share/pkgconfig/${name}.pc`],
    packages: (name) => [`${name}-devel`, name],
    relatives: pkgConfigRelatives,
  },
  {
    pattern: /^perl\(([\w:]+)\)$/,
    file: /\.pm$/,
    baseName: (name) => `${name.slice(name.lastIndexOf(':') + 1)}.pm`,
    files: (name) => [new RegExp(`/${name.replaceAll('::', '/')}\\.pm$`)],
    examples: (name) => [
      `/usr/share/perl5/vendor_perl/${name.replaceAll('::', '/')}.pm`,
      `/usr/lib/perl5/vendor_perl/${name.replaceAll('::', '/')}.pm`,
    ],
    packages: (name) => [`perl-${name.replaceAll('::', '-')}`],
    relatives: (name) => {
      const parts = name.split('::');
      return parts.map((_, at) => `perl-${parts.slice(0, parts.length - at).join('-')}`);
    },
  },
  {
    pattern: /^python3(?:\.\d+)?dist\(([^)[]+)(?:\[.*\])?\)$/,
    file: /-info\/?/i,
    files: (name) => [new RegExp(`/${loose(name)}-[^/]*\\.(?:dist|egg)-info/?`, 'i')],
    examples: (name) => [`/usr/lib/python3.12/site-packages/${name.replaceAll('-', '_')}-1.dist-info`],
    packages: (name) => [`python3-${name}`, `python-${name}`],
    relatives: () => [],
  },
  {
    pattern: /^rubygem\(([^)]+)\)$/,
    file: /\.gemspec$/,
    files: (name) => [new RegExp(`/specifications/${escape(name)}-[^/]*\\.gemspec$`)],
    examples: () => [],
    packages: (name) => [`rubygem-${name}`],
    relatives: () => [],
  },
  {
    pattern: /^(\/.+)$/,
    file: /^\//,
    baseName: lastPart,
    files: (name) => [new RegExp(`^${escape(name)}$`)],
    examples: (name) => [name],
    packages: () => [],
    relatives: (name) => [lastPart(name)],
  },
];

/** `xcb-image`: `xcb-util-image-devel`, then `xcb-devel`, `libxcb-devel`; `libelf`: `elfutils-libelf-devel`. */
function pkgConfigRelatives(name: string): (string | RegExp)[] {
  const base = name.replace(/-?\d+(?:\.\d+)*$/, '');
  const first = name.slice(0, name.includes('-') ? name.indexOf('-') : name.length);
  const last = name.slice(name.lastIndexOf('-') + 1);
  const named = [name, base, `lib${base}`, `lib${name}`, base.replace(/^lib/, ''), name.replace(/^lib/, '')];
  const packages = (stems: readonly string[]): string[] => stems.flatMap((stem) => [`${stem}-devel`, stem]);
  return [
    ...packages(named),
    new RegExp(`-${escape(name)}-devel$`),
    ...(first === last ? [] : [new RegExp(`^${escape(first)}-.*-${escape(last)}-devel$`)]),
    ...packages([first, `lib${first}`]),
  ];
}

/** Predictions for the needed capabilities; several for one when the same rule speaks for several packages. */
export function predictProvides(packages: readonly PredictablePackage[], needed: Iterable<string>): Prediction[] {
  const candidates = packages.filter(({ name }) => !isDebugPackage(name));
  const byName = new Map(candidates.map((one) => [one.name.toLowerCase(), one]));
  const paths = candidates.flatMap((owner) => owner.files.map((path) => ({ owner, path })));
  const globs = globsByStart(paths);
  const ofKind = new Map(KINDS.map((kind) => [kind, pathsOfKind(kind, paths)]));
  return [...new Set(needed)].sort().flatMap((capability) => {
    const kind = KINDS.find(({ pattern }) => pattern.test(capability));
    const name = kind?.pattern.exec(capability)?.[1];
    if (kind === undefined || name === undefined) return [];
    return predict({ capability, kind, name, candidates, globs, kindPaths: ofKind.get(kind)!(name), byName });
  });
}

/** Looks up the paths that may be the file of a name. */
function pathsOfKind({ file, baseName }: Kind, paths: readonly OwnedPath[]): (name: string) => readonly OwnedPath[] {
  const fitting = paths.filter(({ path }) => file.test(path));
  if (baseName === undefined) return () => fitting;
  const byBaseName = new Map<string, OwnedPath[]>();
  for (const one of fitting) {
    const last = lastPart(one.path);
    const same = byBaseName.get(last);
    if (same === undefined) byBaseName.set(last, [one]);
    else same.push(one);
  }
  return (name) => byBaseName.get(baseName(name)) ?? [];
}

/** A line of a %files section. */
interface OwnedPath {
  readonly owner: PredictablePackage;
  readonly path: string;
}

interface Question {
  readonly capability: string;
  readonly kind: Kind;
  readonly name: string;
  readonly candidates: readonly PredictablePackage[];
  readonly globs: GlobsByStart;
  /** Paths of all candidates that may be the file, package by package. */
  readonly kindPaths: readonly OwnedPath[];
  readonly byName: ReadonlyMap<string, PredictablePackage>;
}

function predict({ capability, kind, name, candidates, globs, kindPaths, byName }: Question): Prediction[] {
  const made = (one: PredictablePackage, rule: PredictionRule, evidence: string): Prediction => ({
    capability,
    package: one.name,
    origin: one.origin,
    rule,
    evidence,
  });
  const files = kind.files(name);
  const examples = kind.examples(name);
  const withFile = (
    rule: PredictionRule,
    among: readonly OwnedPath[],
    test: (one: OwnedPath) => boolean,
  ): Prediction[] => {
    const found = new Map<PredictablePackage, Prediction>();
    for (const one of among) {
      if (!found.has(one.owner) && test(one)) found.set(one.owner, made(one.owner, rule, one.path));
    }
    return [...found.values()];
  };
  const named = (names: readonly (string | RegExp)[]): PredictablePackage[] =>
    names.flatMap((one) =>
      typeof one === 'string'
        ? (byName.get(one.toLowerCase()) ?? [])
        : candidates.filter((other) => one.test(other.name)).slice(0, 1),
    );
  const [whole] = named(kind.packages(name));
  const relatives = named(kind.relatives(name));
  const [distribution] = capability.startsWith('perl(')
    ? relatives.filter(({ sourceName }) => sourceName !== 'perl')
    : [];
  let matching: readonly OwnedPath[] | undefined;
  const withGlob = (): readonly OwnedPath[] => (matching ??= globsOf(globs, examples));
  const steps: (() => Prediction[])[] = [
    () => withFile('path', kindPaths, ({ path }) => files.some((pattern) => pattern.test(path))),
    () => withFile('glob', withGlob(), ({ path }) => isTelling(path, name)),
    () => (whole === undefined ? [] : [made(whole, 'name', whole.name)]),
    () => {
      const found = withFile('glob and name', withGlob(), () => true);
      const relative = relatives.find(({ origin }) => found.some((one) => one.origin === origin));
      const same = found.filter((one) => one.package === relative?.name);
      return same.length > 0 ? same : found.filter((one) => one.origin === relative?.origin);
    },
    () => (distribution === undefined ? [] : [made(distribution, 'name of the distribution', distribution.name)]),
  ];
  for (const step of steps) {
    const found = step();
    if (found.length > 0) return found;
  }
  return [];
}

/** A glob that names what is sought, as `libfoo*.pc` or `xcb-*.pc`; not `*.pc`, `lib*`, `gl*.pc`. */
function isTelling(glob: string, name: string): boolean {
  const last = lastPart(glob);
  const prefix = /^[^*?[{]*/.exec(last)![0];
  if (prefix === last || prefix === '' || prefix === 'lib') return false;
  return prefix === name || (prefix.length >= 3 && (/[-_.+]$/.test(prefix) || prefix.length * 2 >= name.length));
}

/** A glob; its pattern is made when a path begins as it does. */
interface Glob {
  readonly owned: OwnedPath;
  readonly position: number;
  pattern?: RegExp | undefined;
}

/** By what stands before the first special character. */
type GlobsByStart = ReadonlyMap<string, readonly Glob[]>;

function globsByStart(paths: readonly OwnedPath[]): GlobsByStart {
  const globs = new Map<string, Glob[]>();
  for (const [position, owned] of paths.entries()) {
    const start = /^[^*?[{]*/.exec(owned.path)![0];
    const same = globs.get(start);
    if (same === undefined) globs.set(start, [{ owned, position }]);
    else same.push({ owned, position });
  }
  return globs;
}

/** Those that match one of the paths, in their order. */
function globsOf(globs: GlobsByStart, examples: readonly string[]): readonly OwnedPath[] {
  const found = new Set<Glob>();
  for (const example of examples) {
    for (let length = 0; length <= example.length; length += 1) {
      for (const glob of globs.get(example.slice(0, length)) ?? []) if (globMatches(glob, example)) found.add(glob);
    }
  }
  return [...found].sort((a, b) => a.position - b.position).map(({ owned }) => owned);
}

function globMatches(glob: Glob, path: string): boolean {
  if (!('pattern' in glob)) glob.pattern = globPattern(glob.owned.path);
  return glob.pattern?.test(path) ?? false;
}

/** Shell globs as in %files: `*`, `?`, `[…]`, `{a,b}`; undefined when it is broken. */
function globPattern(glob: string): RegExp | undefined {
  const text = glob
    .replace(/[.+^$()|\\]/g, '\\$&')
    .replace(/\{([^{}]*)\}/g, (_, list: string) => `(?:${list.replaceAll(',', '|')})`)
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  try {
    return new RegExp(`^${text}$`);
  } catch {
    return undefined;
  }
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Distribution names of Python: `-`, `_` and `.` are the same. */
function loose(name: string): string {
  return name.split(/[-_.]/).map(escape).join('[-_.]');
}
