/** Evaluates a spec as rpmspec does and gives the result as plain data. */
import type { Diagnostic, SourceLocation } from '@kiln/diagnostics';
import {
  createMacroContext,
  standardEnvironment,
  type MacroContext,
  type MacroEnvironment,
  type MacroPorts,
  type TargetArch,
} from '@kiln/rpm-macro';
import { parseEvr, SENSE, type BinaryPackage, type SourcePackage } from '@kiln/rpm-package';
import { sourceBuiltins } from './source-builtins.ts';
import { addDependency } from './parse-reqs.ts';
import { finishPackages, parseSpec } from './parse-spec.ts';
import { SpecError } from './spec-error.ts';
import type { ChangelogEntry, DependencyKind, HeaderTag, PackageState, SpecState } from './spec-state.ts';

export interface EvaluateSpecOptions {
  /** What messages and locations call the spec, usually its path relative to the workspace. */
  readonly file: string;
  readonly text: string;
  /** Default: the standard environment for targetArch. */
  readonly environment?: MacroEnvironment;
  /** Only without an environment, which has its own. */
  readonly targetArch?: TargetArch;
  /** As `rpmspec --define`; later than the environment's own. */
  readonly defines?: Readonly<Record<string, string>>;
  /** Where sources and patches are: the value of %_sourcedir. Default: the directory of `file`. */
  readonly sourceDir?: string;
  readonly ports?: MacroPorts;
  /** Macros whose definitions the result shall tell, as they stand at the end. */
  readonly explainMacros?: readonly string[];
}

/** What a macro is and where it got its value. */
export interface ExplainedMacro {
  readonly name: string;
  /** Its expansion at the end of the spec; undefined for one with parameters and for one that is not defined. */
  readonly value?: string;
  /** The definitions, the valid one first, then those that it hides. */
  readonly definitions: readonly {
    readonly body: string;
    readonly options?: string;
    readonly location?: SourceLocation;
  }[];
}

/** A macro of the environment that the evaluation looked up. */
export interface ReadMacro {
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

export interface EvaluatedSpec {
  /** Undefined when an error makes the spec unusable. */
  readonly sourcePackage: SourcePackage | undefined;
  /** In the order of their discovery, each once. */
  readonly diagnostics: readonly Diagnostic[];
  /** Files that were read through the port, sorted. */
  readonly readFiles: readonly string[];
  /** Macros of the environment that were looked up, sorted by name. */
  readonly readMacros: readonly ReadMacro[];
  /** Names that were looked up and not defined anywhere, sorted: defining one may change the result. */
  readonly missingMacros: readonly string[];
  /** All names, defined or not, whose definition in the environment had a part; 'all' when the spec listed the macros. */
  readonly environmentReads: readonly string[] | 'all';
  /** Shell commands that were asked of the port, sorted. */
  readonly shellCommands: readonly string[];
  /** The text as `rpmspec --parse` prints it; as far as parsing came. */
  readonly expandedText: string;
  readonly changelog: readonly ChangelogEntry[];
  /** One for each of `explainMacros`. */
  readonly explainedMacros: readonly ExplainedMacro[];
}

/** Evaluates one spec. Never throws for what is wrong with the spec: that is in `diagnostics`. */
export function evaluateSpec(options: EvaluateSpecOptions): EvaluatedSpec {
  const environment = options.environment ?? standardFor(options.targetArch ?? 'x86_64');
  let state: SpecState | undefined;
  options.ports?.lua?.reset();
  const context = createMacroContext({
    environment,
    builtins: sourceBuiltins(() => state?.sources ?? []),
    defines: { _sourcedir: options.sourceDir ?? directoryOf(options.file), ...options.defines },
    ...(options.ports === undefined ? {} : { ports: options.ports }),
  });
  const spec = {
    file: options.file,
    text: options.text,
    targetArch: environment.targetArch,
    onStart: (started: SpecState) => void (state = started),
  };
  let finished: SpecState | undefined;
  try {
    finished = parseSpec(context, spec);
    finishPackages(finished);
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    if (error.diagnostic !== undefined) context.diagnostics.push(error.diagnostic);
  }
  const usable = finished !== undefined && !finished.failed ? finished : undefined;
  const sourcePackage =
    usable === undefined ? undefined : toSourcePackage(usable, options.file, environment.targetArch);
  const { baseReads } = context.table;
  const environmentReads = baseReads === 'all' ? baseReads : [...baseReads];
  const explainedMacros = (options.explainMacros ?? []).map((name) => explainMacro(context, name));
  return {
    sourcePackage,
    diagnostics: withoutRepeats(context.diagnostics),
    readFiles: [...context.readFiles].sort(),
    readMacros: readMacros(context),
    missingMacros: [...context.missingNames].sort(),
    environmentReads,
    shellCommands: [...context.shellCommands].sort(),
    expandedText: (finished ?? state)?.reader.parsed ?? '',
    changelog: finished?.changelog ?? [],
    explainedMacros,
  };
}

function explainMacro(context: MacroContext, name: string): ExplainedMacro {
  const definitions: ExplainedMacro['definitions'][number][] = [];
  const valid = context.table.get(name);
  for (let entry = valid; entry !== undefined; entry = entry.previous) {
    const { body, options, location } = entry;
    definitions.push({
      body,
      ...(options === undefined ? {} : { options }),
      ...(location === undefined ? {} : { location }),
    });
  }
  const isSimple = valid !== undefined && valid.options === undefined && valid.builtin === undefined;
  return { name, ...(isSimple ? { value: context.expand(`%{${name}}`) } : {}), definitions };
}

const standardEnvironments = new Map<TargetArch, MacroEnvironment>();

function standardFor(targetArch: TargetArch): MacroEnvironment {
  let environment = standardEnvironments.get(targetArch);
  if (environment === undefined)
    standardEnvironments.set(targetArch, (environment = standardEnvironment({ targetArch })));
  return environment;
}

function directoryOf(file: string): string {
  const slash = file.lastIndexOf('/');
  return slash < 0 ? '.' : file.slice(0, slash);
}

function toSourcePackage(state: SpecState, specFile: string, targetArch: string): SourcePackage {
  const { main } = state;
  const isa = state.context.expand('%{?_isa}');
  for (const target of state.packages) addSelfProvides(target, isa);
  const url = main.tags.get('url');
  return {
    name: main.name,
    evr: parseEvr(main.evr),
    specFile,
    targetArch,
    summary: main.tags.get('summary') ?? '',
    license: state.source.tags.get('license') ?? main.tags.get('license') ?? '',
    ...(url === undefined ? {} : { url }),
    buildArch: state.buildArch ?? [],
    exclusiveArch: state.restrictions.exclusiveArch,
    excludeArch: state.restrictions.excludeArch,
    exclusiveOs: state.restrictions.exclusiveOs,
    excludeOs: state.restrictions.excludeOs,
    sources: state.sources.map(({ path: _path, ...source }) => source),
    buildRequires: state.source.dependencies.get('requires')?.toDependencies() ?? [],
    buildConflicts: state.source.dependencies.get('conflicts')?.toDependencies() ?? [],
    packages: state.packages.map(toBinaryPackage),
    generatesBuildRequires: state.sections.has('%generate_buildrequires'),
    hasCheck: state.sections.has('%check'),
    readFiles: [...state.context.readFiles].sort(),
    location: main.location,
  };
}

/** Every package provides itself; with its architecture when it has one (addPackageProvides, build/parseSpec.c). */
function addSelfProvides(target: PackageState, isa: string): void {
  const provide = { evr: target.evr, flags: SENSE.equal, location: target.location };
  addDependency(target, 'provides', { name: target.name, ...provide });
  if (target.arch !== 'noarch' && isa !== '')
    addDependency(target, 'provides', { name: `${target.name}${isa}`, ...provide });
}

/** Tags of one text beside those that have a field of their own. */
const OTHER_TAGS: readonly HeaderTag[] = [
  'vendor',
  'packager',
  'distribution',
  'disturl',
  'disttag',
  'vcs',
  'bugurl',
  'translationurl',
  'upstreamreleases',
  'modularitylabel',
];

function toBinaryPackage(target: PackageState): BinaryPackage {
  const { tags } = target;
  const [group, url] = [tags.get('group'), tags.get('url')];
  const otherTags = OTHER_TAGS.flatMap((tag) => (tags.has(tag) ? [[tag, tags.get(tag)!] as const] : []));
  const of = (kind: DependencyKind): BinaryPackage['requires'] => target.dependencies.get(kind)?.toDependencies() ?? [];
  return {
    name: target.name,
    evr: parseEvr(target.evr),
    arch: target.arch!,
    summary: tags.get('summary') ?? '',
    license: tags.get('license') ?? '',
    ...(group === undefined ? {} : { group }),
    ...(url === undefined ? {} : { url }),
    description: tags.get('description') ?? '',
    ...(otherTags.length === 0 ? {} : { otherTags: Object.fromEntries(otherTags) }),
    ...(target.prefixes.length === 0 ? {} : { prefixes: target.prefixes }),
    scriptlets: target.scriptlets,
    triggers: target.triggers,
    ...(target.inheritsChangelog ? { inheritsChangelog: true } : {}),
    built: target.hasFiles,
    location: target.location,
    origins: Object.fromEntries(target.origins),
    provides: of('provides'),
    requires: of('requires'),
    conflicts: of('conflicts'),
    obsoletes: of('obsoletes'),
    recommends: of('recommends'),
    suggests: of('suggests'),
    supplements: of('supplements'),
    enhances: of('enhances'),
    orderWithRequires: of('order'),
  };
}

/** The noarch pass meets every problem a second time. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter((diagnostic) => {
    const key = JSON.stringify([diagnostic.code, diagnostic.message, diagnostic.location]);
    return !seen.has(key) && Boolean(seen.add(key));
  });
}

function readMacros(context: MacroContext): ReadMacro[] {
  return [...context.usedNames].sort().flatMap((name) => {
    const location = context.initialTable.peek(name)?.location;
    return location === undefined ? [] : [{ name, file: location.file, line: location.line }];
  });
}
