/** The planned root of a package with the packages themselves: for questions. */
import { resolveClosure, type Closure, type ProviderIndex } from '@kiln/package-graph';
import type { Dependency } from '@kiln/rpm-package';
import { readBootstrapPolicy } from './bootstrap-policy.ts';
import type { Distribution } from './distribution.ts';
import type { PackageProject } from './package-project.ts';
import {
  bootstrapOrigin,
  buildRequiresOf,
  plannedProviders,
  rootIndex,
  TOOLCHAIN_ORIGIN,
  type Universe,
} from './universe.ts';

export interface ExaminedRoot {
  readonly index: ProviderIndex;
  readonly requirements: readonly Dependency[];
  readonly closure: Closure;
}

/** Resolves the root as the plan does. */
export function examineRoot(distribution: Distribution, universe: Universe, project: PackageProject): ExaminedRoot {
  const policy = readBootstrapPolicy(distribution.root);
  const bootstraps = new Map(
    distribution.packages.flatMap(({ id, bootstrap }) =>
      bootstrap === undefined ? [] : [[id, plannedProviders(bootstrap, bootstrapOrigin(id), undefined)] as const],
    ),
  );
  const index = rootIndex(
    universe,
    { id: project.id, isBootstrap: distribution.findPackage(project.id) !== project },
    { policy, bootstraps },
  );
  const requirements = buildRequiresOf(project);
  const closure = resolveClosure(index, requirements, {
    preferredOrigin: TOOLCHAIN_ORIGIN,
    declared: new Map(Object.entries(distribution.config.choices ?? {})),
  });
  return { index, requirements, closure };
}
