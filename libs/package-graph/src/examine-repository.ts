/** Whether every package of a repository can be installed with packages of that repository alone. */
import { formatDependency, type Dependency } from '@kiln/rpm-package';
import { resolveClosure } from './closure.ts';
import type { Conflict } from './conflicts.ts';
import { compareText, type Provider } from './provider.ts';
import { ProviderIndex } from './provider-index.ts';

export interface RepositoryExamination {
  /** Requirements that no package of the repository satisfies, with those that have them. */
  readonly unprovided: readonly { readonly dependency: string; readonly requiredBy: readonly string[] }[];
  /** Packages whose requirements can only be met by packages that exclude each other. */
  readonly uninstallable: readonly { readonly package: string; readonly conflicts: readonly Conflict[] }[];
}

/** Each list is sorted; both empty for a repository that is closed. `rpmlib()` requirements are rpm's own and not looked at. */
export function examineRepository(packages: readonly Provider[]): RepositoryExamination {
  const index = new ProviderIndex(packages);
  const requiredBy = new Map<string, Set<string>>();
  const uninstallable: { package: string; conflicts: readonly Conflict[] }[] = [];
  for (const one of packages) {
    const { unresolved, conflicts } = resolveClosure(index, [exactly(one)]);
    for (const { dependency, requiredBy: by } of unresolved) {
      const text = formatDependency(dependency);
      requiredBy.set(text, (requiredBy.get(text) ?? new Set()).add(by ?? one.name));
    }
    if (conflicts.length > 0) uninstallable.push({ package: one.name, conflicts });
  }
  return {
    unprovided: [...requiredBy]
      .map(([dependency, names]) => ({ dependency, requiredBy: [...names].sort() }))
      .sort((a, b) => compareText(a.dependency, b.dependency)),
    uninstallable: uninstallable.sort((a, b) => compareText(a.package, b.package)),
  };
}

function exactly({ name, evr }: Provider): Dependency {
  return { name, operator: '=', evr };
}
