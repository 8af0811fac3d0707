/** What lies lowest in the root of one package: the toolchain of all, or in mode `debian-full` its own. */
import type { BuildRequestInput } from '@kiln/package-build';
import { parseRequirement } from '@kiln/package-graph';
import { simpleDependencies } from '@kiln/rpm-package';
import {
  DEBIAN_FULL_ENVIRONMENT,
  prepareRequirementRoot,
  requirementSet,
  type DebianFullToolchain,
  type RequirementSet,
  type Toolchain,
} from '@kiln/toolchain';
import type { Distribution } from './distribution.ts';
import type { EvaluatedPackage } from './package-project.ts';
import type { Session } from './session.ts';
import { buildRequiresOf } from './universe.ts';

/** The part of a build request that the toolchain decides. */
export function requestedToolchain(
  { toolchain }: Distribution,
  project: EvaluatedPackage,
): Pick<BuildRequestInput, 'toolchain' | 'environment'> {
  if (toolchain.full === undefined) return { toolchain: toolchain.identity };
  return { toolchain: setOf(toolchain.full, project).identity, environment: DEBIAN_FULL_ENVIRONMENT };
}

/** Where packages are built: which machine and user, and the store with the layers. */
export type BuildSite = Pick<Session, 'host' | 'store' | 'distribution' | 'toolchain'>;

/**
 * The toolchain in the root of a package: in mode `debian-full` it has what its BuildRequires ask for.
 * @throws BuildError of the toolchain.
 */
export async function packageToolchain(site: BuildSite, project: EvaluatedPackage): Promise<Toolchain> {
  const { full } = site.distribution.toolchain;
  const base = await site.toolchain();
  if (full === undefined) return base;
  return prepareRequirementRoot(site.host, site.store, { base, planned: full, set: setOf(full, project) });
}

/** Of a choice all that Debian has is there. */
function setOf(full: DebianFullToolchain, project: EvaluatedPackage): RequirementSet {
  const asked = buildRequiresOf(project).flatMap((one) => simpleDependencies(parseRequirement(one)));
  return requirementSet(
    full,
    asked.map(({ name }) => name),
  );
}
