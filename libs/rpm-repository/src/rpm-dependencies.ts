/** The dependencies in a header: parallel arrays of names, flags and versions. */
import { parseEvr, type Dependency, type DependencyOperator, type PackageDependencies } from '@kiln/rpm-package';
import type { HeaderTags } from './header-tags.ts';
import { malformed } from './malformed.ts';
import { RPM_TAG } from './rpm-tag.ts';

/** All dependency kinds of a header: those of `PackageDependencies` and the install-order hints. */
export interface RpmDependencies extends PackageDependencies {
  readonly orderWithRequires: readonly Dependency[];
}

/** The tag numbers of one kind's arrays. */
export interface DependencyTags {
  readonly names: number;
  readonly flags: number;
  readonly versions: number;
}

const DEPENDENCY_TAGS: Readonly<Record<keyof RpmDependencies, DependencyTags>> = {
  provides: { names: RPM_TAG.PROVIDENAME, flags: RPM_TAG.PROVIDEFLAGS, versions: RPM_TAG.PROVIDEVERSION },
  requires: { names: RPM_TAG.REQUIRENAME, flags: RPM_TAG.REQUIREFLAGS, versions: RPM_TAG.REQUIREVERSION },
  conflicts: { names: RPM_TAG.CONFLICTNAME, flags: RPM_TAG.CONFLICTFLAGS, versions: RPM_TAG.CONFLICTVERSION },
  obsoletes: { names: RPM_TAG.OBSOLETENAME, flags: RPM_TAG.OBSOLETEFLAGS, versions: RPM_TAG.OBSOLETEVERSION },
  recommends: { names: RPM_TAG.RECOMMENDNAME, flags: RPM_TAG.RECOMMENDFLAGS, versions: RPM_TAG.RECOMMENDVERSION },
  suggests: { names: RPM_TAG.SUGGESTNAME, flags: RPM_TAG.SUGGESTFLAGS, versions: RPM_TAG.SUGGESTVERSION },
  supplements: { names: RPM_TAG.SUPPLEMENTNAME, flags: RPM_TAG.SUPPLEMENTFLAGS, versions: RPM_TAG.SUPPLEMENTVERSION },
  enhances: { names: RPM_TAG.ENHANCENAME, flags: RPM_TAG.ENHANCEFLAGS, versions: RPM_TAG.ENHANCEVERSION },
  orderWithRequires: { names: RPM_TAG.ORDERNAME, flags: RPM_TAG.ORDERFLAGS, versions: RPM_TAG.ORDERVERSION },
};

/** RPMSENSE_LESS, _GREATER, _EQUAL (rpm's include/rpm/rpmds.h). */
const COMPARISON_BITS = 0b1110;
const OPERATORS: Readonly<Record<number, DependencyOperator>> = { 2: '<', 10: '<=', 8: '=', 12: '>=', 4: '>' };

/** RPMSENSE_RPMLIB: a requirement on a feature of rpm itself. */
export const SENSE_RPMLIB = 1 << 24;

/** Every kind, in the header's order. @throws BuildError `RPM_MALFORMED` */
export function readDependencies(tags: HeaderTags): RpmDependencies {
  const kinds = Object.entries(DEPENDENCY_TAGS) as [keyof RpmDependencies, DependencyTags][];
  return Object.fromEntries(
    kinds.map(([kind, numbers]) => [kind, readDependencyList(tags, numbers)]),
  ) as unknown as RpmDependencies;
}

/** One kind; empty when the header has none. @throws BuildError `RPM_MALFORMED` when the arrays' lengths differ. */
export function readDependencyList(tags: HeaderTags, numbers: DependencyTags): Dependency[] {
  const names = tags.texts(numbers.names);
  if (names === undefined) return [];
  const flags = tags.integers(numbers.flags) ?? [];
  const versions = tags.texts(numbers.versions) ?? [];
  if (flags.length !== names.length || versions.length !== names.length) {
    const found = `${names.length} names, ${flags.length} flags and ${versions.length} versions`;
    throw malformed(tags.origin, `dependencies of tag ${numbers.names} have ${found}`);
  }
  return names.map((name, index) =>
    toDependency({ name, flags: flags[index]!, version: versions[index]! }, tags.origin),
  );
}

function toDependency(
  { name, flags, version }: { name: string; flags: number; version: string },
  origin: string,
): Dependency {
  const sense = flags & ~COMPARISON_BITS;
  const base: Dependency = { name, ...(sense === 0 ? {} : { sense }) };
  if (version === '' || (flags & COMPARISON_BITS) === 0) return base;
  const operator = OPERATORS[flags & COMPARISON_BITS];
  if (operator === undefined)
    throw malformed(origin, `the dependency '${name}' has the impossible comparison flags ${flags}`);
  return { ...base, operator, evr: parseEvr(version) };
}
