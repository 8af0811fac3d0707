/** Builds a source package: SRPM and RPMs by rpmbuild in the sandbox, then the checks, then the store. */
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import type { Evr, SourcePackage } from '@kiln/rpm-package';
import type { ActionResult, Blob, Store } from '@kiln/store';
import type { Toolchain } from '@kiln/toolchain';
import { buildFailure, inBuildRoot, runBuildCommand, type BuildPlace } from './build-place.ts';
import { buildCommands, type BuildRequestInput } from './build-request.ts';
import { collectResult } from './collect-result.ts';
import { forgetFailedBuild, keepFailedBuild } from './failed-builds.ts';

/** An RPM that goes into the build root. */
export interface RootRpm {
  readonly name: string;
  readonly evr: Evr;
  readonly arch: string;
  readonly artifact: Sha256;
  readonly content: Sha256;
  readonly fileName: string;
  readonly blob: Blob;
  readonly provides: SourcePackage['packages'][number]['provides'];
}

/** A file for SOURCES: its digest is checked again when it is copied. */
export interface BuildFile {
  readonly name: string;
  readonly path: string;
  readonly sha256: Sha256;
}

export interface PackageBuild {
  readonly id: string;
  /** What events call the task: the name of its target. */
  readonly target: string;
  /** What identifies the build; its digest is the action key. */
  readonly request: BuildRequestInput;
  readonly source: SourcePackage;
  readonly specText: string;
  readonly files: readonly BuildFile[];
  /** `name` is the path below rpm's configuration directory. */
  readonly macroFiles: readonly { readonly name: string; readonly text: string }[];
  readonly root: readonly RootRpm[];
  readonly toolchain: Toolchain;
  /** Absolute path of the log; it is begun anew. */
  readonly log: string;
  /** What `%_smp_build_ncpus` is; the number of cores when omitted. Results must not depend on it. */
  readonly jobs?: number;
  /** `%check` may fail once. */
  readonly flakyCheck?: boolean;
}

/**
 * Builds, checks and stores. What is left behind is the log, and of a build that failed its top directory, for a shell.
 * @throws BuildError `RPMBUILD_FAILED`, `BUILD_TIMEOUT` and those of the other limits, `DISK_FULL`, `BUILD_REQUIRES_MISSING`,
 * `BUILD_OUTPUT_STRANGE`, `PAYLOAD_DIFFERS`, `CHECKS_FAILED` and those of the sandbox.
 */
export function buildPackage(host: Host, store: Store, build: PackageBuild): Promise<Omit<ActionResult, 'key'>> {
  return inBuildRoot(host, store, build, async (place) => {
    try {
      for (const argv of buildCommands(build.request)) await runPatiently(host, argv, place);
      const result = await collectResult(host, store, place);
      await forgetFailedBuild(host, store, build.id);
      return result;
    } catch (error) {
      // That there is nothing to look at must not hide why.
      if (!host.signal.aborted) await keepFailedBuild(host, store, place).catch(() => undefined);
      throw located(error, build);
    }
  });
}

/** The error with the place of the spec and the log, when it names none. */
function located(error: unknown, { source, log }: PackageBuild): unknown {
  if (!(error instanceof BuildError) || error.log !== undefined) return error;
  const { code, message, location = { file: source.specFile, line: 1 }, hint, command, diagnostics } = error;
  return new BuildError(code, message, { location, hint, command, diagnostics, log, cause: error });
}

/** Once more when nothing but a `%check` failed that is known to fail at times. */
async function runPatiently(host: Host, argv: readonly [string, ...string[]], place: BuildPlace): Promise<void> {
  const { id, flakyCheck = false } = place.build;
  const first = await runBuildCommand(host, argv, place);
  if (first === 0) return;
  const failure = await buildFailure(place, { status: first });
  if (!flakyCheck || !failure.message.startsWith('the %check section')) throw failure;
  const message = `%check of ${id} failed; it is known to be flaky and is tried once more`;
  host.emit({ type: 'notice', severity: 'warning', code: 'CHECK_FLAKY', message });
  const second = await runBuildCommand(host, argv, place);
  if (second !== 0) throw await buildFailure(place, { status: second });
}

/** @throws BuildError `CHECKS_FAILED`. */
export function checksFailed(build: PackageBuild, diagnostics: BuildError['diagnostics']): BuildError {
  return new BuildError(
    'CHECKS_FAILED',
    `the RPMs of ${build.id} break ${diagnostics.length} rule${diagnostics.length === 1 ? '' : 's'}`,
    {
      location: { file: build.source.specFile, line: 1 },
      diagnostics,
      log: build.log,
    },
  );
}
