/** Results that stay at home. */
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { packageResult } from './built-providers.ts';
import type { PackageProject } from './package-project.ts';
import type { Session } from './session.ts';

/** Why a result stays at home. */
const UNPUBLISHABLE: Readonly<Record<'network' | 'trial', string>> = {
  network:
    'was built with access to the network, and may have what no digest pins ("network" in toolkit/packages.json)',
  trial: 'was built with the toolchain debian-full, which is for trying specs',
};

/** @throws BuildError `UNPUBLISHABLE` with every one of the packages that must not get to others. */
export async function refuseUnpublishable(
  session: Session,
  packages: readonly Pick<PackageProject, 'id' | 'specFile'>[],
): Promise<void> {
  const diagnostics: Diagnostic[] = [];
  for (const { id, specFile } of packages) {
    const { result } = await session.state('rpm', id);
    for (const why of ['network', 'trial'] as const) {
      if (result === undefined || packageResult(result)[why] !== true) continue;
      const location = { file: specFile, line: 1 };
      diagnostics.push({ severity: 'error', code: 'UNPUBLISHABLE', message: `${id} ${UNPUBLISHABLE[why]}`, location });
    }
  }
  if (diagnostics.length === 0) return;
  throw new BuildError('UNPUBLISHABLE', `${diagnostics.length} of the results must not be published`, {
    diagnostics,
    hint: 'name what a build fetches as its sources; build with a toolchain of tools only',
  });
}
