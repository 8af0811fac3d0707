/** What each source package needs to be built: the providers of its BuildRequires and everything that must be installed with them. */
import { formatDependency, type Dependency } from '@kiln/rpm-package';
import { resolveClosure, type Closure, type ClosureOptions } from './closure.ts';
import { compareProviders, type Provider } from './provider.ts';
import type { ProviderIndex } from './provider-index.ts';
import { matching, parseRequirement } from './requirement.ts';

export interface SourceToRelate {
  readonly id: string;
  readonly buildRequires: readonly Dependency[];
}

export interface SourceRelations {
  readonly id: string;
  /** Packages that satisfy the BuildRequires themselves. */
  readonly direct: readonly Provider[];
  readonly closure: Closure;
}

/** Resolves every source package by itself: each has its own build root. */
export function relateSources(
  sources: readonly SourceToRelate[],
  index: ProviderIndex,
  options: ClosureOptions = {},
): SourceRelations[] {
  return sources.map(({ id, buildRequires }) => {
    const closure = resolveClosure(index, buildRequires, options);
    return { id, direct: directProviders(index, closure, buildRequires), closure };
  });
}

/** Source ids of packages, each once and sorted, without those of `id` itself. */
export function originsBeside(id: string, packages: readonly Provider[]): string[] {
  return [...new Set(packages.map(({ origin }) => origin))].filter((origin) => origin !== id).sort();
}

/** The members of a closure that were taken for its roots; each once, sorted. */
function directProviders(index: ProviderIndex, closure: Closure, roots: readonly Dependency[]): Provider[] {
  const members = new Set(closure.members);
  const chosen = new Map(closure.choices.map((choice) => [choice.dependency, choice.chosen]));
  const direct = new Set<Provider>();
  for (const root of roots) {
    const among = (one: Dependency): readonly Provider[] =>
      index.whatProvides(one).filter((found) => members.has(found));
    const found = [...partsOf(root)].map((part) => matching(part, among));
    for (const fitting of found) {
      const name = chosen.get(formatDependency(root));
      const taken = fitting.filter((one) => name === undefined || one.name === name).sort(compareProviders)[0];
      if (taken !== undefined) direct.add(taken);
    }
  }
  return [...direct].sort(compareProviders);
}

/** The simple parts of a rich dependency that relates several packages; the whole when it is about one. */
function partsOf(dependency: Dependency): readonly ReturnType<typeof parseRequirement>[] {
  const formula = parseRequirement(dependency);
  return ['and', 'if', 'unless'].includes(formula.kind) && formula.kind !== 'simple' ? formula.operands : [formula];
}
