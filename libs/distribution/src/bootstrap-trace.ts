/** RPMs of bootstrap builds are for other builds alone: nothing that people get may be one, or need one. */
import { BuildError } from '@kiln/diagnostics';
import { formatDependency } from '@kiln/rpm-package';
import type { ActionResult } from '@kiln/store';
import { BOOTSTRAP_MARK } from './bootstrap-variants.ts';
import { builtProviders, type BuiltProvider } from './built-providers.ts';
import type { PackageProject } from './package-project.ts';

/**
 * The binary RPMs of a final build.
 * @throws BuildError `BOOTSTRAP_IN_FINAL` when one is of a bootstrap build, or names the release of one.
 */
export function finalRpms(
  { id, specFile }: Pick<PackageProject, 'id' | 'specFile'>,
  result: Pick<ActionResult, 'facts' | 'outputs'>,
): BuiltProvider[] {
  const rpms = builtProviders(id, result);
  for (const { name, evr, provides, requires } of rpms) {
    const texts = [...provides, ...requires].map(formatDependency);
    const found = [evr.release ?? '', ...texts].find((text) => text.includes(BOOTSTRAP_MARK));
    if (found === undefined) continue;
    throw new BuildError('BOOTSTRAP_IN_FINAL', `the RPM ${name} of ${id} has '${found}', of a bootstrap build`, {
      location: { file: specFile, line: 1 },
      hint: "a final RPM must not depend on the release of what it was built with; correct the spec's dependencies",
    });
  }
  return rpms;
}
