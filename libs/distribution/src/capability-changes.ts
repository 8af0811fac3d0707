/** What the RPMs of a package provide differently than those of its last build, and which packages ask for what is gone. Pure. */
import { isFeasible, parseRequirement, ProviderIndex, type Provider } from '@kiln/package-graph';
import { formatDependency, simpleDependencies, type Dependency } from '@kiln/rpm-package';
import type { EvaluatedPackage } from './package-project.ts';
import { buildRequiresOf } from './universe.ts';

export type CapabilityKind = 'soname' | 'symbol version' | 'path' | 'provide';

export interface CapabilityChange {
  /** The sub-package that has it, or had it. */
  readonly package: string;
  readonly kind: CapabilityKind;
  readonly capability: string;
}

/** A requirement that the last build met and this one doesn't. */
export interface UnmetRequirement {
  /** Id of the package that asks. */
  readonly id: string;
  /** Its sub-package; absent for a BuildRequires. */
  readonly package?: string;
  readonly requirement: string;
}

export interface CapabilityChanges {
  /** Names that no RPM of the package had before. */
  readonly appeared: readonly CapabilityChange[];
  /** Names that no RPM of the package has any more. */
  readonly vanished: readonly CapabilityChange[];
  /** Not what another package of the tree, or the toolchain, provides too. */
  readonly unmet: readonly UnmetRequirement[];
}

/** The RPMs of one build, as far as others can ask for them. */
export type BuiltCapabilities = readonly Pick<Provider, 'name' | 'evr' | 'arch' | 'provides' | 'files'>[];

/**
 * Compares two builds. A name that moves between sub-packages, or only gets another version, neither appears nor vanishes; what asks for
 * the old version is unmet all the same. `others` gives the RPMs of everybody else, when that matters.
 */
export function capabilityChanges(
  builds: { readonly before: BuiltCapabilities; readonly after: BuiltCapabilities },
  tree: {
    readonly id: string;
    readonly packages: readonly EvaluatedPackage[];
    readonly others: () => readonly Provider[];
  },
): CapabilityChanges {
  const [old, now] = [namesOf(builds.before), namesOf(builds.after)];
  return {
    appeared: [...now].filter(([name]) => !old.has(name)).map(([, one]) => one),
    vanished: [...old].filter(([name]) => !now.has(name)).map(([, one]) => one),
    unmet: unmetRequirements(builds, tree),
  };
}

/** Whether nobody needs to be told of anything. */
export function isUnchanged({ appeared, vanished, unmet }: CapabilityChanges): boolean {
  return appeared.length + vanished.length + unmet.length === 0;
}

/** What rpm's generator for ELF files writes (tools/elfdeps.c): `soname()(64bit)`, `soname(VERSION)(64bit)`. */
export function kindOf(capability: string): CapabilityKind {
  if (capability.startsWith('/')) return 'path';
  const [, version] = /^[^()\s]+\.so[^()\s]*\(([^()]*)\)(?:\(64bit\))?$/.exec(capability) ?? [];
  return version === undefined ? 'provide' : version === '' ? 'soname' : 'symbol version';
}

function namesOf(build: BuiltCapabilities): Map<string, CapabilityChange> {
  const found = new Map<string, CapabilityChange>();
  const add = (owner: string, capability: string): void => {
    if (!found.has(capability)) found.set(capability, { package: owner, kind: kindOf(capability), capability });
  };
  for (const { name, provides, files = [] } of build) {
    for (const one of provides) add(name, one.name);
    for (const file of files) add(name, file);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function unmetRequirements(
  { before, after }: Parameters<typeof capabilityChanges>[0],
  { id, packages, others }: Parameters<typeof capabilityChanges>[1],
): UnmetRequirement[] {
  const indexOf = (build: BuiltCapabilities) =>
    new ProviderIndex(build.map((one) => ({ ...one, origin: id, requires: [] })));
  const [old, now] = [indexOf(before), indexOf(after)];
  let rest: ProviderIndex | undefined;
  const lookUp = (own: ProviderIndex) => (one: Dependency) => {
    const found = own.whatProvides(one);
    return found.length > 0 ? found : (rest ??= new ProviderIndex(others())).whatProvides(one);
  };
  const concerns = (one: Dependency): boolean => old.whatProvides(one).length > 0 && now.whatProvides(one).length === 0;
  const unmet = new Map<string, UnmetRequirement>();
  for (const [asking, requirement] of requirementsOf(packages)) {
    const formula = parseRequirement(requirement);
    if (asking.id === id || !simpleDependencies(formula).some(concerns)) continue;
    if (!isFeasible(formula, lookUp(old)) || isFeasible(formula, lookUp(now))) continue;
    const found = { ...asking, requirement: formatDependency(requirement) };
    unmet.set(JSON.stringify(found), found);
  }
  return [...unmet.values()];
}

/** All that the packages of the tree ask for, as stated and recorded. */
function* requirementsOf(
  packages: readonly EvaluatedPackage[],
): Generator<readonly [Pick<UnmetRequirement, 'id' | 'package'>, Dependency]> {
  for (const one of packages) {
    const { id, sourcePackage, record } = one;
    for (const dependency of buildRequiresOf(one)) yield [{ id }, dependency];
    for (const { name, built, requires } of sourcePackage?.packages ?? [])
      if (built) for (const dependency of requires) yield [{ id, package: name }, dependency];
    for (const [name, { requires }] of record?.packages ?? [])
      for (const dependency of requires) yield [{ id, package: name }, dependency];
  }
}
