/** What is built with the toolchain `debian-full` shows whether a spec builds; nobody may get it. */
import { BuildError } from '@kiln/diagnostics';
import type { ActionResult } from '@kiln/store';
import { finalRpms } from './bootstrap-trace.ts';
import { packageResult, type BuiltProvider } from './built-providers.ts';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';
import type { PackageProject } from './package-project.ts';

/** Whether the workspace only tries specs. */
export function isTrial({ toolchain }: Pick<DistroConfig, 'toolchain'>): boolean {
  return toolchain.provider === 'debian-full';
}

/** @throws BuildError `TRIAL_TOOLCHAIN` in a workspace that only tries specs; `what` is an image or a repository. */
export function refuseInTrial(config: Pick<DistroConfig, 'toolchain'>, what: string): void {
  if (!isTrial(config)) return;
  throw new BuildError('TRIAL_TOOLCHAIN', `${what} can't be made with the toolchain 'debian-full'`, {
    location: { file: DISTRO_FILE, line: 1 },
    hint: "its RPMs are linked with Debian's libraries; take another 'provider' of the toolchain",
  });
}

/**
 * The binary RPMs of a build that people may get.
 * @throws BuildError `TRIAL_IN_FINAL` for those of a trial, and those of `finalRpms`.
 */
export function publishableRpms(
  project: Pick<PackageProject, 'id' | 'specFile'>,
  result: Pick<ActionResult, 'facts' | 'outputs'>,
): BuiltProvider[] {
  if (packageResult(result).trial !== true) return finalRpms(project, result);
  const { id, specFile } = project;
  throw new BuildError('TRIAL_IN_FINAL', `the RPMs of ${id} were built with the toolchain 'debian-full'`, {
    location: { file: specFile, line: 1 },
    hint: 'build the package with another toolchain',
  });
}
