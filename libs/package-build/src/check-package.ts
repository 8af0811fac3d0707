/** Runs `%check` of a source package in a build tree of its own; of what is built for it nothing is kept. */
import type { Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import type { PackageBuild } from './build-package.ts';
import {
  beginLog,
  buildFailure,
  inWorkDirectory,
  layOutTopDirectory,
  runBuildCommand,
  withLocation,
  type BuildPlace,
} from './build-place.ts';
import { useBuildTree, type BuildTree } from './build-tree.ts';
import { checkCommands } from './build-request.ts';
import { forgetFailedBuild, keepFailedBuild } from './failed-builds.ts';

export interface CheckOutcome {
  /** How often `%check` ran; the last time it ended well. */
  readonly attempts: 1 | 2;
}

/**
 * Builds up to the files of the packages, unless it is given the tree of an equal build, then runs `%check`. What is left behind is the log, and of a check that failed its top
 * directory, for a shell.
 * @throws BuildError `TESTS_FAILED`, and those of a build that doesn't get as far: `RPMBUILD_FAILED`, `BUILD_TIMEOUT` and those of the
 * other limits, `DISK_FULL`, `BUILD_REQUIRES_MISSING`, and those of the sandbox.
 */
export async function checkPackage(
  host: Host,
  store: Store,
  build: PackageBuild,
  tree?: BuildTree,
): Promise<CheckOutcome> {
  await beginLog(build);
  return inWorkDirectory(host, store, build, async (place) => {
    const commands = checkCommands(build.request);
    try {
      if (tree === undefined) await buildFirst(host, commands.build, place);
      else await useBuildTree(tree, place);
      const outcome = await runPatiently(host, commands.check, place);
      await forgetFailedBuild(host, store, build);
      return outcome;
    } catch (error) {
      if (!host.signal.aborted) await keepFailedBuild(host, store, place).catch(() => undefined);
      throw withLocation(error, build);
    }
  });
}

async function buildFirst(host: Host, argv: readonly [string, ...string[]], place: BuildPlace): Promise<void> {
  await layOutTopDirectory(host, place);
  const status = await runBuildCommand(host, argv, place);
  if (status !== 0) throw await buildFailure(place, { status });
}

/** Once more when a `%check` fails that is known to fail at times. */
async function runPatiently(
  host: Host,
  argv: readonly [string, ...string[]],
  place: BuildPlace,
): Promise<CheckOutcome> {
  const { id, flakyCheck = false } = place.build;
  const first = await runBuildCommand(host, argv, place);
  if (first === 0) return { attempts: 1 };
  const failure = await buildFailure(place, { status: first });
  if (!flakyCheck || failure.code !== 'TESTS_FAILED') throw failure;
  const message = `%check of ${id} failed; it is known to be flaky and is tried once more`;
  host.emit({ type: 'notice', severity: 'warning', code: 'CHECK_FLAKY', message });
  const second = await runBuildCommand(host, argv, place);
  if (second !== 0) throw await buildFailure(place, { status: second });
  return { attempts: 2 };
}
