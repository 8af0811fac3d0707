/** Packages that can't be installed together. */
import { formatDependency, formatEvr, satisfies, type Dependency } from '@kiln/rpm-package';
import { compareProviders, compareText, type Provider } from './provider.ts';
import type { ProviderIndex } from './provider-index.ts';
import { holds, isAboutOnePackage, matching, parseRequirement } from './requirement.ts';

/** Two packages of a closure that exclude each other. */
export interface Conflict {
  readonly package: string;
  /** The other package; several when a rich Conflicts needs them together. */
  readonly with: readonly string[];
  readonly kind: 'conflicts' | 'obsoletes' | 'same name';
  /** The Conflicts or Obsoletes, or the name that both have. */
  readonly dependency: string;
}

/**
 * All conflicts in a set of packages, sorted. Conflicts match capabilities of other packages, Obsoletes only their names
 * (rpmalAllObsoletes, lib/rpmal.c), and one name is installed in one version only.
 */
export function findConflicts(packages: ReadonlySet<Provider>, index: ProviderIndex): Conflict[] {
  const byName = new Map<string, Provider[]>();
  for (const one of packages) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  const found: Conflict[] = [];
  for (const [name, same] of byName) {
    const [first, ...others] = same.sort(compareProviders);
    for (const other of others)
      found.push({ package: title(first!), with: [title(other)], kind: 'same name', dependency: name });
  }
  for (const one of packages) {
    for (const dependency of one.conflicts ?? []) {
      const others = conflicting(one, dependency, { packages, index });
      if (others === undefined) continue;
      found.push({ package: one.name, with: others, kind: 'conflicts', dependency: formatDependency(dependency) });
    }
    for (const dependency of one.obsoletes ?? []) {
      for (const other of byName.get(dependency.name) ?? []) {
        if (other === one || other.name === one.name) continue;
        const isObsolete = satisfies({ name: other.name, operator: '=', evr: other.evr }, dependency);
        const entry = { kind: 'obsoletes', dependency: formatDependency(dependency) } as const;
        if (isObsolete) found.push({ package: one.name, with: [other.name], ...entry });
      }
    }
  }
  return found.sort((a, b) => compareText(conflictKey(a), conflictKey(b)));
}

/** The same text for the same conflict. */
export function conflictKey(conflict: Conflict): string {
  return [conflict.package, conflict.kind, conflict.dependency, ...conflict.with].join('\t');
}

/** Names of the packages that a Conflicts of `one` hits; undefined when it hits none. A package never conflicts with itself. */
function conflicting(
  one: Provider,
  dependency: Dependency,
  { packages, index }: { packages: ReadonlySet<Provider>; index: ProviderIndex },
): string[] | undefined {
  const lookup = (simple: Dependency) =>
    index.whatProvides(simple).filter((other) => other !== one && packages.has(other));
  const formula = parseRequirement(dependency);
  if (isAboutOnePackage(formula)) {
    const others = matching(formula, lookup);
    return others.length === 0 ? undefined : others.map(({ name }) => name).sort();
  }
  return holds(formula, lookup) ? [] : undefined;
}

function title({ name, evr }: Provider): string {
  return `${name}-${formatEvr(evr)}`;
}
