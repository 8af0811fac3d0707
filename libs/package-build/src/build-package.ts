/** Builds a source package: SRPM and RPMs by rpmbuild in the sandbox, then the checks, then the store. */
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import type { Evr, SourcePackage } from '@kiln/rpm-package';
import type { ActionResult, Blob, Store } from '@kiln/store';
import type { Toolchain } from '@kiln/toolchain';
import { buildFailure, inBuildRoot, runBuildCommand, withLocation, type BuildPlace } from './build-place.ts';
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
  /** `%check` may fail once; only of importance to a check. */
  readonly flakyCheck?: boolean;
}

/**
 * Builds, checks and stores; `onBuilt` may take the top directory. What is left behind is the log, and of a build that failed its top directory, for a shell.
 * @throws BuildError `RPMBUILD_FAILED`, `BUILD_TIMEOUT` and those of the other limits, `DISK_FULL`, `BUILD_REQUIRES_MISSING`,
 * `BUILD_OUTPUT_STRANGE`, `PAYLOAD_DIFFERS`, `CHECKS_FAILED` and those of the sandbox.
 */
export function buildPackage(
  host: Host,
  store: Store,
  build: PackageBuild,
  onBuilt: (place: BuildPlace) => Promise<void> = () => Promise.resolve(),
): Promise<Omit<ActionResult, 'key'>> {
  return inBuildRoot(host, store, build, async (place) => {
    try {
      const [source, binary] = buildCommands(build.request);
      // rpm writes the expanded spec into the source package; where macros name the number of jobs, it must not be the machine's.
      await runToEnd(host, source, { ...place, build: { ...build, jobs: 1 } });
      await runToEnd(host, binary, place);
      const result = await collectResult(host, store, place);
      await forgetFailedBuild(host, store, build);
      await onBuilt(place);
      return result;
    } catch (error) {
      // That there is nothing to look at must not hide why.
      if (!host.signal.aborted) await keepFailedBuild(host, store, place).catch(() => undefined);
      throw withLocation(error, build);
    }
  });
}

async function runToEnd(host: Host, argv: readonly [string, ...string[]], place: BuildPlace): Promise<void> {
  const status = await runBuildCommand(host, argv, place);
  if (status !== 0) throw await buildFailure(place, { status });
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
