/** A source package of the tree: where its spec is, what evaluation said, what it needs before it can be built. */
import type { Diagnostic } from '@kiln/diagnostics';
import type { ImageDefinition } from '@kiln/image-config';
import type { SourcePackage } from '@kiln/rpm-package';
import type { ProvidesRecord } from './provides-record.ts';

/** What is known of a package from its own files alone. */
export interface EvaluatedPackage {
  /** The spec's path below its root without extension, for example `sed/sed`. */
  readonly id: string;
  readonly specRoot: string;
  /** Workspace-relative directory of the spec. */
  readonly directory: string;
  readonly specFile: string;
  readonly specText: string;
  /** Absent when evaluation failed; then `diagnostics` has an error. */
  readonly sourcePackage?: SourcePackage;
  readonly record?: ProvidesRecord;
  readonly diagnostics: readonly Diagnostic[];
  /** Workspace-relative files whose content decides what is built: spec, signatures, local sources and patches, macro files. */
  readonly inputs: readonly string[];
}

/** An evaluated package with its place in the graph. */
export interface PackageProject extends EvaluatedPackage {
  /** Ids of the packages whose RPMs may be in its build root: the run-time closure of its BuildRequires; sorted. */
  readonly dependencies: readonly string[];
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
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether a project can be built: no diagnostic of severity error. */
export function isBroken({ diagnostics }: { readonly diagnostics: readonly Diagnostic[] }): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}
