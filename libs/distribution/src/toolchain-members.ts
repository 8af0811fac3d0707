/** Packages of the tree whose RPMs the toolchain has: their target `rpm` gives these, and nothing is built. */
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { describeRpm, type BuiltRpm, type PackageResult } from '@kiln/package-build';
import { formatEvr, isDebugPackage } from '@kiln/rpm-package';
import type { ActionResult, Blob } from '@kiln/store';
import {
  fetchManifestRpms,
  type ManifestPackage,
  type RepositoryToolchain,
  type ToolchainManifest,
} from '@kiln/toolchain';
import type { EvaluatedPackage, PackageProject } from './package-project.ts';
import { pinnedSources } from './pinned-sources.ts';
import type { Session } from './session.ts';

/** What the toolchain has of a package. */
export interface ToolchainMember {
  /** Its RPMs, in the order of their NEVRAs. */
  readonly rpms: readonly ManifestPackage[];
  /** The package is not the one that they were built from any more. */
  readonly problem?: Diagnostic;
}

/** The packages of which the toolchain has all RPMs, by id. */
export function toolchainMembers(
  root: string,
  toolchain: { readonly kind: string; readonly manifest?: ToolchainManifest },
  packages: readonly EvaluatedPackage[],
): Map<string, ToolchainMember> {
  const { manifest } = toolchain;
  if (manifest === undefined) return new Map();
  const rpms = rpmsBySource(manifest);
  return new Map(
    packages.flatMap((one): [string, ToolchainMember][] => {
      const spec = manifest.specs[one.id];
      if (spec === undefined) return [];
      const own = rpms.get(spec.source) ?? [];
      const problem = changedMember(root, one, spec) ?? incompleteMember(one, own);
      return [[one.id, { rpms: own, ...(problem === undefined ? {} : { problem }) }]];
    }),
  );
}

/** A manifest with the packages of the tree that it has all RPMs of, and of its other RPMs those alone that these need. */
export function withSpecs(
  root: string,
  manifest: ToolchainManifest,
  packages: readonly EvaluatedPackage[],
): ToolchainManifest {
  const rpms = rpmsBySource(manifest);
  const specs = packages.flatMap((one): [string, ToolchainManifest['specs'][string]][] => {
    const source = sourceRpmOf(one);
    const there = source === undefined ? undefined : rpms.get(source);
    const inputs = memberInputs(root, one);
    if (there === undefined || source === undefined || inputs === undefined) return [];
    return lackingRpms(one, there).length === 0 ? [[one.id, { source, inputs }]] : [];
  });
  const sources = new Set(specs.map(([, { source }]) => source));
  return {
    ...manifest,
    specs: Object.fromEntries(specs),
    others: manifest.others.filter(({ source }) => source !== undefined && sources.has(source)),
  };
}

/** The target `rpm` of a member: the identity is that of the RPMs. */
export function memberKey({ rpms }: ToolchainMember): Sha256 {
  return digestOf({
    stage: 'toolchain-member',
    recipeVersion: 1,
    rpms: rpms.map(({ nevra, sha256 }) => [nevra, sha256]),
  });
}

/**
 * Brings the RPMs of a member into the store, checked.
 * @throws BuildError `TOOLCHAIN_MEMBER_CHANGED`, those of `fetchManifestRpms`.
 */
export async function memberResult(
  session: Session,
  project: PackageProject,
  { rpms }: ToolchainMember,
): Promise<Omit<ActionResult, 'key'>> {
  const { host, store, distribution } = session;
  const { manifest } = distribution.toolchain as RepositoryToolchain;
  await fetchManifestRpms({ host, store, root: distribution.root }, manifest, rpms);
  const outputs: Record<string, Blob> = {};
  const built: BuiltRpm[] = [];
  for (const { sha256, size } of rpms) {
    const rpm = await describeRpm(store.blobPath(sha256));
    outputs[rpm.fileName] = { sha256, size };
    built.push(rpm);
  }
  const facts: PackageResult = { source: project.sourcePackage?.name ?? project.id, rpms: built };
  return { outputs, facts };
}

/** The package as it is built from its spec all the same: for a second build, a check, a shell. Its root is that of its check. */
export function asBuilt(project: PackageProject): PackageProject {
  if (project.member === undefined || project.check === undefined) return project;
  const { dependencies, bootstrapDependencies, after, seeds, rootPackages, choices, predictions } = project.check;
  return { ...project, dependencies, bootstrapDependencies, after, seeds, rootPackages, choices, predictions };
}

/** Undefined for a package that can't be evaluated, or whose sources can't be told. */
function memberInputs(root: string, one: EvaluatedPackage): Sha256 | undefined {
  if (one.sourcePackage === undefined) return undefined;
  const { defines = {}, with: on = [], without: off = [] } = one.settings ?? {};
  try {
    return digestOf({
      spec: one.spec.digest,
      sources: pinnedSources(root, one).map(({ fileName, sha256 }) => [fileName, sha256]),
      settings: { defines, with: on, without: off },
    });
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}

function changedMember(
  root: string,
  one: EvaluatedPackage,
  { source, inputs }: ToolchainManifest['specs'][string],
): Diagnostic | undefined {
  const now = sourceRpmOf(one);
  if (now === undefined || (now === source && memberInputs(root, one) === inputs)) return undefined;
  const what = now === source ? 'its spec, sources or settings are others now' : `its spec is ${now} now`;
  return {
    severity: 'error',
    code: 'TOOLCHAIN_MEMBER_CHANGED',
    message: `${one.id} is part of the toolchain, which has it as ${source}; ${what}`,
    location: { file: one.specFile, line: 1 },
    hint: 'build the toolchain again with it (docs/toolchains.md), or undo the change',
  };
}

/** A manifest is written whole; lines of it can be lost when people merge it. */
function incompleteMember(one: EvaluatedPackage, rpms: readonly ManifestPackage[]): Diagnostic | undefined {
  const lacking = lackingRpms(one, rpms);
  if (lacking.length === 0) return undefined;
  return {
    severity: 'error',
    code: 'TOOLCHAIN_MEMBER_INCOMPLETE',
    message: `${one.id} is part of the toolchain, whose manifest lacks its packages ${lacking.join(', ')}`,
    location: { file: one.specFile, line: 1 },
    hint: 'restore the manifest, or make it again with `kiln toolchain-manifest`',
  };
}

/** Names of the packages that its build makes and the RPMs don't have; on roots without find-debuginfo none has debug information. */
function lackingRpms({ sourcePackage }: EvaluatedPackage, rpms: readonly ManifestPackage[]): string[] {
  const there = new Set(rpms.map(({ nevra }) => nameOf(nevra)));
  const packages = sourcePackage?.packages ?? [];
  const wanted = packages.filter(({ name, built }) => built && !isDebugPackage(name));
  return wanted.map(({ name }) => name).filter((name) => !there.has(name));
}

function sourceRpmOf({ sourcePackage }: EvaluatedPackage): string | undefined {
  if (sourcePackage === undefined) return undefined;
  const { version, release } = sourcePackage.evr;
  return `${sourcePackage.name}-${formatEvr({ version, ...(release === undefined ? {} : { release }) })}.src.rpm`;
}

function rpmsBySource({ packages, others }: ToolchainManifest): Map<string, ManifestPackage[]> {
  const found = new Map<string, ManifestPackage[]>();
  for (const one of [...packages, ...others])
    if (one.source !== undefined) found.set(one.source, [...(found.get(one.source) ?? []), one]);
  for (const rpms of found.values()) rpms.sort((a, b) => (a.nevra < b.nevra ? -1 : 1));
  return found;
}

function nameOf(nevra: string): string {
  return nevra.replace(/-[^-]+-[^-]+$/, '');
}
