/** What a spec says of the packages that it makes: the value that evaluation hands to everything else. */
import type { SourceLocation } from '@kiln/diagnostics';
import type { Dependency } from './dependency.ts';
import type { Evr } from './evr.ts';
import { formatEvr } from './evr.ts';

/** Where a value was written; `trace` has the definitions of the macros that made the line, when it is not in the spec as it is. */
export interface Origin extends SourceLocation {
  readonly trace?: readonly SourceLocation[];
}

/** A `Source`/`Patch` tag. */
export interface SourceFile {
  readonly kind: 'source' | 'patch';
  readonly number: number;
  /** The tag's value after expansion: a URL or a plain file name. */
  readonly url: string;
  /** The base name by which `%{SOURCEn}` refers to it (after `#/name`). */
  readonly fileName: string;
  /** NoSource or NoPatch names it: the source RPM goes without it. */
  readonly isLeftOut?: true;
  readonly location: SourceLocation;
}

/** What rpm runs around the installation of a package: when, with which program, and the text that it gives to it. */
export interface Scriptlet {
  /** The section without its percent sign: `pre`, `post`, `preun`, `postun`, `pretrans`, `posttrans`, `verifyscript`. */
  readonly when: string;
  /** The program and its arguments; `<lua>` is rpm's own Lua. */
  readonly interpreter: readonly string[];
  /** Empty when only the program runs. */
  readonly text: string;
  /** `-f`: a file of the build whose content is added. */
  readonly file?: string;
  /** `-e`: macros are expanded when it runs; `-q`: query tags are. */
  readonly expands?: readonly ('macros' | 'tags')[];
}

/** A scriptlet that other packages, or files, set off. */
export interface Trigger extends Scriptlet {
  /** Packages, or for file triggers the beginnings of paths. */
  readonly conditions: readonly LocatedDependency[];
  /** `-P`, of file triggers; 1000000 where nothing is said. */
  readonly priority: number;
}

/** The kinds of dependencies that a binary package carries, by rpm's tag names in lower camel case. */
export interface PackageDependencies {
  readonly provides: readonly LocatedDependency[];
  readonly requires: readonly LocatedDependency[];
  readonly conflicts: readonly LocatedDependency[];
  readonly obsoletes: readonly LocatedDependency[];
  readonly recommends: readonly LocatedDependency[];
  readonly suggests: readonly LocatedDependency[];
  readonly supplements: readonly LocatedDependency[];
  readonly enhances: readonly LocatedDependency[];
}

/** A (sub-)package: what one binary RPM will be. Dependencies are those that the spec states, not the generated ones. */
export interface BinaryPackage extends PackageDependencies {
  readonly name: string;
  readonly evr: Evr;
  readonly arch: string;
  readonly summary: string;
  readonly license: string;
  readonly group?: string;
  readonly url?: string;
  readonly description: string;
  /** The other tags of its header that are one text, by their names in lower case: `vendor`, `packager`, `vcs`, `bugurl`, … */
  readonly otherTags?: Readonly<Record<string, string>>;
  /** Paths below which its files may be put elsewhere. */
  readonly prefixes?: readonly string[];
  readonly orderWithRequires: readonly LocatedDependency[];
  /** In the order of the spec. */
  readonly scriptlets: readonly Scriptlet[];
  readonly triggers: readonly Trigger[];
  /** It is declared behind %changelog: then rpm gives it those entries when it reads the spec, else when it builds. */
  readonly inheritsChangelog?: true;
  /** Whether an RPM is written: the spec has a `%files` section for it. */
  readonly built: boolean;
  readonly location: SourceLocation;
  /** Where its tags were written, by their names in lower case; inherited ones point to the main package. */
  readonly origins?: Readonly<Record<string, Origin>>;
}

/** A source package: one spec, evaluated for one architecture. */
export interface SourcePackage {
  readonly name: string;
  readonly evr: Evr;
  /** Path of the spec, relative to the workspace. */
  readonly specFile: string;
  /** The architecture it was evaluated for, for example `x86_64`. */
  readonly targetArch: string;
  readonly summary: string;
  readonly license: string;
  readonly url?: string;
  readonly buildArch: readonly string[];
  readonly exclusiveArch: readonly string[];
  readonly excludeArch: readonly string[];
  readonly exclusiveOs: readonly string[];
  readonly excludeOs: readonly string[];
  readonly sources: readonly SourceFile[];
  /** Sorted and without duplicates, as in the header of the source RPM. */
  readonly buildRequires: readonly LocatedDependency[];
  readonly buildConflicts: readonly Dependency[];
  readonly packages: readonly BinaryPackage[];
  /** Whether the spec has a `%generate_buildrequires` section. */
  readonly generatesBuildRequires: boolean;
  readonly hasCheck: boolean;
  /** Files whose content had a part in the evaluation, besides the spec: `%include`d files, macro files. */
  readonly readFiles: readonly string[];
  readonly location: SourceLocation;
}

/** A dependency that knows where it was written. */
export interface LocatedDependency extends Dependency {
  readonly location?: Origin;
}

/** Whether a package of this name holds debug information: rpm's find-debuginfo makes it (macros `%debug_package`, `%_debugsource_packages`). */
export function isDebugPackage(name: string): boolean {
  return /-(?:debuginfo|debugsource)$/.test(name);
}

/** `name-[epoch:]version-release.arch`. */
export function formatNevra({ name, evr, arch }: { name: string; evr: Evr; arch: string }): string {
  return `${name}-${formatEvr(evr)}.${arch}`;
}

/** The file name rpmbuild gives it by `%_rpmfilename` without directory: no epoch in it. */
export function rpmFileName({ name, evr, arch }: { name: string; evr: Evr; arch: string }): string {
  return `${name}-${evr.version}-${evr.release ?? ''}.${arch}.rpm`;
}
