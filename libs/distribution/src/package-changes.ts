/** How a package's present build differs from its last one: for the report of the build, and for those who ask. */
import type { Sha256 } from '@kiln/build-identity';
import type { PackageResult } from '@kiln/package-build';
import { formatEvr } from '@kiln/rpm-package';
import { builtCapabilities, readBuildHistory, recordBuild } from './build-history.ts';
import { packageResult } from './built-providers.ts';
import {
  capabilityChanges,
  isUnchanged,
  type BuiltCapabilities,
  type CapabilityChanges,
} from './capability-changes.ts';
import type { PackageProject } from './package-project.ts';
import type { Session } from './session.ts';
import { createUniverse } from './universe.ts';

export interface PackageChanges extends CapabilityChanges {
  readonly id: string;
  /** Version and release; absent when no other build is known. */
  readonly before?: string;
  /** Absent while the package isn't built. */
  readonly after?: string;
}

const NONE: CapabilityChanges = { appeared: [], vanished: [], unmet: [] };

/** Compares what is built now with the build before it. */
export async function packageChanges(session: Session, { id }: PackageProject): Promise<PackageChanges> {
  const { key, result } = await session.state('rpm', id).catch(() => ({ key: undefined, result: undefined }));
  if (key === undefined || result === undefined) return { id, ...NONE };
  return compareWithLast(session, id, { key, rpms: builtCapabilities(packageResult(result)) });
}

/** Remembers a build that was just made, and tells what others will miss. */
export async function reportChanges(
  session: Session,
  { id }: PackageProject,
  { key, result }: { readonly key: Sha256; readonly result: PackageResult },
): Promise<void> {
  const build = { key, rpms: builtCapabilities(result) };
  const changes = compareWithLast(session, id, build);
  await recordBuild(session, id, build);
  if (isUnchanged(changes)) return;
  const { unmet, vanished, appeared } = changes;
  const askers = [...new Set(unmet.map((one) => one.id))];
  const [code, severity, what] =
    unmet.length > 0
      ? (['CAPABILITIES_MISSED', 'warning', `${askers.join(', ')} ask for what it no longer provides`] as const)
      : (['CAPABILITIES_CHANGED', 'info', 'nothing of the tree asks for what vanished'] as const);
  const counts = `${appeared.length} capabilities appeared, ${vanished.length} vanished since its last build`;
  const message = `${id}: ${counts}; ${what}; \`kiln changes ${id}\` lists them`;
  session.host.emit({ type: 'notice', severity, code, message });
}

function compareWithLast(
  session: Session,
  id: string,
  { key, rpms }: { readonly key: Sha256; readonly rpms: BuiltCapabilities },
): PackageChanges {
  const last = readBuildHistory(session, id).find((one) => one.key !== key);
  const after = versionOf(rpms);
  if (last === undefined) return { id, ...NONE, ...after };
  const { packages, toolchain } = session.distribution;
  const others = () => {
    const { providers } = createUniverse(packages, toolchain.provider);
    return [toolchain.provider, ...providers.filter(({ origin }) => origin !== id)];
  };
  const changes = capabilityChanges({ before: last.rpms, after: rpms }, { id, packages, others });
  return { id, ...changes, ...after, before: versionOf(last.rpms).after! };
}

function versionOf(rpms: BuiltCapabilities): { readonly after?: string } {
  return rpms[0] === undefined ? {} : { after: formatEvr(rpms[0].evr) };
}
