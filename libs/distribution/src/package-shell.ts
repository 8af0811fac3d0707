/** A shell in the build root of a package of the tree. */
import { BuildError } from '@kiln/diagnostics';
import { openBuildShell, type ShellOptions } from '@kiln/package-build';
import { buildInput, preparedBuild } from './build-input.ts';
import { checkOf } from './check-target.ts';
import { buildsBefore } from './rpm-target.ts';
import type { Session } from './session.ts';
import { TARGETS } from './targets.ts';
import { asBuilt } from './toolchain-members.ts';

export interface PackageShellOptions extends ShellOptions {
  /** The root of the check, instead of that of the build. */
  readonly ofCheck?: boolean;
}

/**
 * Builds what the package needs, then opens the shell; returns its status.
 * @throws BuildError of the package's diagnostics, of what it needs, and those of the sandbox.
 */
export async function openPackageShell(
  session: Session,
  id: string,
  { ofCheck = false, ...options }: PackageShellOptions,
): Promise<number> {
  const { distribution } = session;
  const project = ofCheck ? checkOf(distribution, id) : asBuilt(distribution.findPackage(id));
  const target = ofCheck ? 'check' : 'rpm';
  for (const [name, before] of buildsBefore(project)) {
    if ((await session.state(name, before)).result === undefined) await session.run(name, before);
  }
  const input = await buildInput(session, project);
  if (input === undefined) {
    throw new BuildError('PLAN_STALE', `a package that ${project.id} depends on is not built`, {
      hint: `run \`kiln build ${project.id}\` first`,
    });
  }
  const build = await preparedBuild(session, input, { target, log: TARGETS[target].log(project.id) });
  return openBuildShell(session.host, session.store, build, options);
}
