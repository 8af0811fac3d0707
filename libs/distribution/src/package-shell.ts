/** A shell in the build root of a package of the tree. */
import { BuildError } from '@kiln/diagnostics';
import { openBuildShell, type ShellOptions } from '@kiln/package-build';
import { buildInput, preparedBuild } from './build-input.ts';
import { rpmTarget } from './rpm-target.ts';
import type { Session } from './session.ts';

/**
 * Builds what the package needs, then opens the shell; returns its status.
 * @throws BuildError of the package's diagnostics, of what it needs, and those of the sandbox.
 */
export async function openPackageShell(session: Session, id: string, options: ShellOptions): Promise<number> {
  const project = session.distribution.findPackage(id);
  for (const [target, before] of rpmTarget.before(session.distribution, project.id)) {
    if ((await session.state(target, before)).result === undefined) await session.run(target, before);
  }
  const input = await buildInput(session, project);
  if (input === undefined) {
    throw new BuildError('PLAN_STALE', `a package that ${project.id} depends on is not built`, {
      hint: `run \`kiln build ${project.id}\` first`,
    });
  }
  const build = await preparedBuild(session, input, { target: 'rpm', log: rpmTarget.log(project.id) });
  return openBuildShell(session.host, session.store, build, options);
}
