/** Builds a source package: SRPM and RPMs by rpmbuild in the sandbox, then the checks, then the store. */
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import type { Evr, SourcePackage } from '@kiln/rpm-package';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import type { ActionResult, Blob, Store } from '@kiln/store';
import { composeRpmRoot, type RpmRoot, type Toolchain } from '@kiln/toolchain';
import { BUILD_ENVIRONMENT, buildCommands, TOP_DIRECTORY, type BuildRequestInput } from './build-request.ts';
import { collectResult } from './collect-result.ts';
import { explainFailure } from './log-reading.ts';

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
}

/**
 * Builds, checks and stores; nothing is left behind but the log.
 * @throws BuildError `RPMBUILD_FAILED`, `BUILD_TIMEOUT`, `DISK_FULL`, `BUILD_REQUIRES_MISSING`, `CHECKS_FAILED` and those of the sandbox.
 */
export function buildPackage(host: Host, store: Store, build: PackageBuild): Promise<Omit<ActionResult, 'key'>> {
  return inBuildRoot(host, store, build, async (place) => {
    for (const argv of buildCommands(build.request)) {
      const status = await runBuildCommand(host, argv, place);
      if (status !== 0) throw await buildFailure(place, status);
    }
    return collectResult(store, place);
  });
}

/** Composes the root, lays out spec, sources and macro files, and removes all that when `use` is done. */
export async function inBuildRoot<T>(
  host: Host,
  store: Store,
  build: PackageBuild,
  use: (place: BuildPlace) => Promise<T>,
): Promise<T> {
  await mkdir(dirname(build.log), { recursive: true });
  await rm(build.log, { force: true });
  const work = await makeWorkDirectory(host, store, `rpm-${build.source.name}`);
  try {
    const root = await composeRpmRoot(host, store, { toolchain: build.toolchain, rpms: build.root });
    await prepareTopDirectory(host, { build, root, work });
    return await use({ build, root, work });
  } finally {
    await removeWorkDirectory(host, work);
  }
}

/** Layers of the build root, topmost first: the distribution's macro files over the composed root. */
function layersOf(root: RpmRoot, work: string): string[] {
  return [join(work, 'macros'), ...root.layers];
}

/** A build with its root and its work directory; rpm's top directory is `top` in that. */
export interface BuildPlace {
  readonly build: PackageBuild;
  readonly root: RpmRoot;
  readonly work: string;
}

const KEPT_CHARACTERS = 64 * 1024;
const WRITTEN_BY_BUILD = ['.', 'BUILD', 'BUILDROOT', 'RPMS', 'SRPMS', 'home', 'rpmdb'];

async function prepareTopDirectory(host: Host, { build, root, work }: BuildPlace): Promise<void> {
  const user = await buildUser(host);
  const top = join(work, 'top');
  for (const name of [...WRITTEN_BY_BUILD, 'SOURCES', 'SPECS']) await mkdir(join(top, name), { recursive: true });
  for (const name of WRITTEN_BY_BUILD) await giveToBuildUser(user, join(top, name));
  await writeFile(join(top, 'SPECS', build.request.spec.name), build.specText);
  for (const { name, path } of build.files) {
    await copyFile(path, join(top, 'SOURCES', basename(name)));
    await chmod(join(top, 'SOURCES', basename(name)), 0o644);
  }
  for (const name of await readdir(root.rpmdb)) {
    await copyFile(join(root.rpmdb, name), join(top, 'rpmdb', name));
    await giveToBuildUser(user, join(top, 'rpmdb', name));
  }
  for (const { name, text } of build.macroFiles) {
    const path = join(work, 'macros', 'usr/lib/rpm', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

/** Its exit status. @throws BuildError `BUILD_TIMEOUT` and those of the sandbox. */
export async function runBuildCommand(
  host: Host,
  argv: readonly [string, ...string[]],
  { build, root, work }: BuildPlace,
): Promise<number> {
  const { id, target, request, log } = build;
  const started = host.now();
  const result = await runSandboxed(host, {
    layers: layersOf(root, work),
    mounts: [{ source: join(work, 'top'), target: TOP_DIRECTORY, writable: true }],
    cwd: TOP_DIRECTORY,
    argv,
    environment: { ...BUILD_ENVIRONMENT, RPM_BUILD_NCPUS: String(availableParallelism()) },
    identity: 'builder',
    log,
    timeoutSeconds: request.limits.seconds,
    limits: request.limits,
    onLine: (line) =>
      reportSection(line, (section) => host.emit({ type: 'progress', action: target, subject: id, message: section })),
  });
  if (result.timedOut) throw await buildFailure({ build }, result.status, (host.now() - started) / 1000);
  return result.status;
}

/** The error for a command that failed, or that was stopped after that many seconds. */
export async function buildFailure(
  { build }: Pick<BuildPlace, 'build'>,
  status: number,
  stoppedAfter?: number,
): Promise<BuildError> {
  const { id, source, specText, log } = build;
  return explainFailure({
    subject: id,
    specFile: source.specFile,
    specText,
    status,
    timedOut: stoppedAfter !== undefined,
    tail: await endOf(log),
    log,
    limitSeconds: stoppedAfter ?? 0,
  });
}

/** The end of the log: standard output and error in their order. */
async function endOf(log: string): Promise<string> {
  return (await readFile(log, 'utf8')).slice(-KEPT_CHARACTERS);
}

/** rpmbuild says `Executing(%build): …` when a section begins (build/build.c). */
function reportSection(line: string, report: (section: string) => void): void {
  const section = /^Executing\((%(?:prep|generate_buildrequires|build|install|check))\)/.exec(line)?.[1];
  if (section !== undefined) report(section);
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
