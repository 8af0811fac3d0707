/** A source package of the tree: where its spec is, what evaluation said, what it needs before it can be built. */
import type { Sha256 } from '@kiln/build-identity';
import type { Diagnostic } from '@kiln/diagnostics';
import type { ImageDefinition } from '@kiln/image-config';
import type { Choice, Prediction } from '@kiln/package-graph';
import type { SourcePackage } from '@kiln/rpm-package';
import type { SeedRpm } from './bootstrap-policy.ts';
import type { PackageSettings } from './package-settings.ts';
import type { ProvidesRecord } from './provides-record.ts';
import type { ToolchainMember } from './toolchain-members.ts';

/** A source package with the text of its %files sections. */
export interface DescribedSource extends SourcePackage {
  /** Paths and globs by package name: what predictions are made from. */
  readonly packagedPaths?: Readonly<Record<string, readonly string[]>>;
  /** Digest of the expanded spec without `%check`. */
  readonly buildText?: string;
}

/** What a spec says, read when it is asked for. */
export interface SpecText {
  readonly text: string;
  /** Of the file's bytes. */
  readonly digest: Sha256;
}

/** What is known of a package from its own files alone. */
export interface EvaluatedPackage {
  /** The spec's path below its root without extension, for example `sed/sed`. */
  readonly id: string;
  readonly specRoot: string;
  /** Workspace-relative directory of the spec. */
  readonly directory: string;
  readonly specFile: string;
  readonly spec: SpecText;
  /** Absent when evaluation failed; then `diagnostics` has an error. */
  readonly sourcePackage?: DescribedSource;
  readonly record?: ProvidesRecord;
  /** What `toolkit/packages.json` says of it. */
  readonly settings?: PackageSettings;
  /** Instead of the distribution's defines: with those of its settings or of a bootstrap build. */
  readonly defines?: Readonly<Record<string, string>>;
  readonly diagnostics: readonly Diagnostic[];
  /** Workspace-relative files whose content decides what is built: spec, signatures, local sources and patches, macro files. */
  readonly inputs: readonly string[];
}

/** Target and id of a build. */
export type BuildTask = readonly ['rpm' | 'rpm-bootstrap', string];

/** What the plan says of a build root. */
export interface RootPlan {
  /** Ids of the packages whose RPMs may be in its build root: the run-time closure of its BuildRequires; sorted. */
  readonly dependencies: readonly string[];
  /** Ids of the packages whose bootstrap RPMs may be in it instead; sorted. */
  readonly bootstrapDependencies: readonly string[];
  /** The builds of both kinds before which all others of them come. */
  readonly after: readonly BuildTask[];
  /** RPMs from outside that may be in it, as `toolkit/bootstrap.json` pins them. */
  readonly seeds: readonly SeedRpm[];
  /** The planned RPMs, `name (origin)`; sorted. */
  readonly rootPackages: readonly string[];
  /** Where several packages could be taken: which one, and why. */
  readonly choices: readonly Choice[];
  /** Guesses that this root rests on, because those packages were never built and recorded. */
  readonly predictions: readonly Prediction[];
}

/** An evaluated package with its place in the graph. */
export interface PackageProject extends EvaluatedPackage, RootPlan {
  /** What its own RPMs are expected to provide, beside what is stated and recorded. */
  readonly predicted: readonly Prediction[];
  /** Set when the toolchain has its RPMs: then nothing must be built before its target `rpm`. */
  readonly member?: ToolchainMember;
  /** The same spec as its `rpm-bootstrap` target builds it, when the policy names it. */
  readonly bootstrap?: PackageProject;
  /** The same spec as its `check` target evaluates it, with a root of its own; absent when the spec can't be evaluated. */
  readonly check?: PackageProject;
}

/** An image definition of the tree. */
export interface ImageProject {
  readonly name: string;
  readonly file: string;
  /** Absent when the definition is broken; then `diagnostics` has an error. */
  readonly definition?: ImageDefinition;
  readonly inputs: readonly string[];
  /** Ids of the source packages whose RPMs may be in it; sorted. */
  readonly dependencies: readonly string[];
  /** The planned RPMs, `name (origin)`; sorted. */
  readonly rootPackages: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether a project can be built: no diagnostic of severity error. */
export function isBroken({ diagnostics }: { readonly diagnostics: readonly Diagnostic[] }): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}
