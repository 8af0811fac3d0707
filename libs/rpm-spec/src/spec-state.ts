/** What parsing a spec gathers (struct rpmSpec_s and Package_s, build/rpmbuild_internal.h). */
import type { Diagnostic } from '@kiln/diagnostics';
import type { SourceLocation } from '@kiln/diagnostics';
import type { MacroContext } from '@kiln/rpm-macro';
import type { LocatedDependency, Origin, Scriptlet, SourceFile, Trigger } from '@kiln/rpm-package';
import { DependencySet, type HeaderDependency } from './dependency-set.ts';
import type { DiagnosticOptions, SpecReader } from './read-line.ts';
import type { Section } from './sections.ts';
import { SpecError } from './spec-error.ts';

/** The kinds of dependencies, by the names of the fields of BinaryPackage; `order` is OrderWithRequires. */
export const DEPENDENCY_KINDS = [
  'provides',
  'requires',
  'conflicts',
  'obsoletes',
  'recommends',
  'suggests',
  'supplements',
  'enhances',
  'order',
] as const;
export type DependencyKind = (typeof DEPENDENCY_KINDS)[number];

/** Tags that a header holds as one string. */
export type HeaderTag =
  | 'name'
  | 'version'
  | 'release'
  | 'epoch'
  | 'summary'
  | 'license'
  | 'group'
  | 'url'
  | 'vendor'
  | 'packager'
  | 'distribution'
  | 'disturl'
  | 'disttag'
  | 'bugurl'
  | 'translationurl'
  | 'upstreamreleases'
  | 'vcs'
  | 'modularitylabel'
  | 'description';

export class PackageState {
  readonly tags = new Map<HeaderTag, string>();
  /** Tags that its own preamble sets; the others are inherited. */
  readonly ownTags = new Set<HeaderTag>();
  /** Where its tags were written, the inherited ones too. */
  readonly origins = new Map<HeaderTag, Origin>();
  readonly dependencies = new Map<DependencyKind, DependencySet>();
  /** Tags that its own preamble sets twice. */
  readonly duplicates: Diagnostic[] = [];
  readonly scriptlets: Scriptlet[] = [];
  readonly triggers: Trigger[] = [];
  /** The conditions of its triggers by kind of trigger and name. */
  readonly triggeredBy = new Map<string, LocatedDependency[]>();
  prefixes: readonly string[] = [];
  /** It is declared behind %changelog. */
  inheritsChangelog = false;
  readonly location: SourceLocation;
  /** `noarch` where the sub-package says so. */
  arch: string | undefined;
  hasFiles = false;

  constructor(location: SourceLocation) {
    this.location = location;
  }

  get name(): string {
    return this.tags.get('name') ?? '';
  }

  add(kind: DependencyKind, dependency: HeaderDependency): void {
    let set = this.dependencies.get(kind);
    if (set === undefined) this.dependencies.set(kind, (set = new DependencySet()));
    set.add(dependency);
  }

  /** `[epoch:]version-release`. */
  get evr(): string {
    const epoch = this.tags.get('epoch');
    return `${epoch === undefined ? '' : `${epoch}:`}${this.tags.get('version')}-${this.tags.get('release')}`;
  }
}

/** A Source or Patch with the path by which macros refer to it. */
export interface SourceState extends SourceFile {
  readonly path: string;
}

export interface ChangelogEntry {
  /** Seconds since the epoch. */
  readonly time: number;
  readonly name: string;
  readonly text: string;
}

/** rpm gives up at its first error; more than these help nobody. */
const MAX_ERRORS = 100;

export class SpecState {
  readonly context: MacroContext;
  readonly reader: SpecReader;
  /** This is the second pass, for one of the architectures of BuildArch. */
  readonly recursing: boolean;
  readonly packages: PackageState[] = [];
  /** Dependencies of the source package: BuildRequires and BuildConflicts. */
  readonly source: PackageState;
  readonly sources: SourceState[] = [];
  /** Sources and patches by number, with the highest number so far. */
  readonly sourceNumbers = {
    source: { known: new Map<number, SourceState>(), last: -1 },
    patch: { known: new Map<number, SourceState>(), last: -1 },
  };
  /** %prep, %build, %check, …: sections that were there, by name. */
  readonly sections = new Set<string>();
  readonly changelog: ChangelogEntry[] = [];
  /** The value of BuildArch, of ExclusiveArch, … */
  readonly restrictions = {
    exclusiveArch: [] as string[],
    excludeArch: [] as string[],
    exclusiveOs: [] as string[],
    excludeOs: [] as string[],
  };
  buildArch: readonly string[] | undefined;
  /** The value of %buildroot before the spec; the preamble of the main package expands it again. */
  buildRoot = '';
  /** An error was found from which parsing recovered; there is no result. */
  failed = false;
  #errors = 0;

  constructor(context: MacroContext, reader: SpecReader, recursing: boolean) {
    this.context = context;
    this.reader = reader;
    this.recursing = recursing;
    this.source = new PackageState(reader.location());
  }

  get main(): PackageState {
    return this.packages[0]!;
  }

  /** Reports an error that leaves no result; parsing goes on to find more. */
  error(code: string, message: string, options: DiagnosticOptions = {}): void {
    this.failed = true;
    this.report('error', code, message, options);
    this.#errors += 1;
    if (this.#errors >= MAX_ERRORS) throw new SpecError(undefined);
  }

  /** Does what rpm does after the body of a scriptlet was read: whether an error there counts depends on its version. */
  afterScriptlet(action: () => void): void {
    const failed = this.failed;
    action();
    if (!this.context.dialect.lateScriptletErrorsCount) this.failed = failed;
  }

  /** Reports a problem in spite of which rpm reads the spec. */
  report(severity: 'error' | 'warning', code: string, message: string, options: DiagnosticOptions = {}): void {
    this.context.diagnostics.push(this.reader.diagnostic(severity, code, message, options));
  }

  /** Whether a section that may stand once was there before; then an error says so. */
  isSecond(section: string): boolean {
    if (this.sections.has(section)) {
      this.error('SPEC_SECOND_SECTION', `second ${section}`, { part: section, hint: 'Join the two sections.' });
      return true;
    }
    this.sections.add(section);
    return false;
  }

  /** The package that a section header names; undefined and an error when there is none. */
  lookUp(name: string | undefined, isFullName: boolean): PackageState | undefined {
    if (name === undefined) return this.main;
    const fullName = isFullName ? name : `${this.main.name}-${name}`;
    return this.packages.find((candidate) => candidate.name === fullName);
  }
}

/** What ends a section: the next one, or the end of the spec. */
export type NextSection = Section | undefined;
