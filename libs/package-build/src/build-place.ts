/** Where a build happens: its root, its work directory, and how programs run in there. */
import { copyFile, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed, type SandboxRequest } from '@kiln/sandbox';
import type { Store } from '@kiln/store';
import { composeRpmRoot, type RpmRoot } from '@kiln/toolchain';
import type { PackageBuild } from './build-package.ts';
import { BUILD_ENVIRONMENT, TOP_DIRECTORY } from './build-request.ts';
import { copySource } from './copy-source.ts';
import { explainFailure } from './log-reading.ts';

/** A build with its root and its work directory; rpm's top directory is `top` in that. */
export interface BuildPlace {
  readonly build: PackageBuild;
  readonly root: RpmRoot;
  readonly work: string;
}

/** Composes the root, lays out spec, sources and macro files, and removes all that when `use` is done. */
export async function inBuildRoot<T>(
  host: Host,
  store: Store,
  build: PackageBuild,
  use: (place: BuildPlace) => Promise<T>,
): Promise<T> {
  await beginLog(build);
  return inWorkDirectory(host, store, build, async (place) => {
    await layOutTopDirectory(host, place);
    return use(place);
  });
}

export async function beginLog({ log }: Pick<PackageBuild, 'log'>): Promise<void> {
  await mkdir(dirname(log), { recursive: true });
  await rm(log, { force: true });
}

/** Composes the root beside an empty work directory, and removes that when `use` is done. */
export async function inWorkDirectory<T>(
  host: Host,
  store: Store,
  build: PackageBuild,
  use: (place: BuildPlace) => Promise<T>,
): Promise<T> {
  const work = await makeWorkDirectory(host, store, `rpm-${build.source.name}`);
  try {
    const root = await composeRpmRoot(host, store, { toolchain: build.toolchain, rpms: build.root });
    for (const { name, text } of build.macroFiles) {
      const path = join(work, 'macros', 'usr/lib/rpm', macroFilePlace(name, build.toolchain));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
    }
    return await use({ build, root, work });
  } finally {
    await removeWorkDirectory(host, work);
  }
}

/** Names call the vendor's directory as Debian's rpm has it; each rpm looks into that of its own vendor. */
function macroFilePlace(name: string, { rpmVendor }: PackageBuild['toolchain']): string {
  return name.replace(/^debian\//, `${rpmVendor}/`);
}

const WRITTEN_BY_BUILD = ['.', 'BUILD', 'BUILDROOT', 'RPMS', 'SRPMS', 'home', 'rpmdb'];

/** The directories that rpmbuild expects, with the spec, the sources and the database of the root's RPMs. */
export async function layOutTopDirectory(host: Host, { build, root, work }: BuildPlace): Promise<void> {
  const user = await buildUser(host);
  const top = join(work, 'top');
  for (const name of [...WRITTEN_BY_BUILD, 'SOURCES', 'SPECS']) await mkdir(join(top, name), { recursive: true });
  for (const name of WRITTEN_BY_BUILD) await giveToBuildUser(user, join(top, name));
  await writeFile(join(top, 'SPECS', build.request.spec.name), build.specText);
  for (const file of build.files) await copySource(file, join(top, 'SOURCES', basename(file.name)));
  for (const name of await readdir(root.rpmdb)) {
    await copyFile(join(root.rpmdb, name), join(top, 'rpmdb', name));
    await giveToBuildUser(user, join(top, 'rpmdb', name));
  }
}

/** What every program in the root of a build has: layers, top directory, environment, limits, network only by policy. */
export function placeRequest({ build, root, work }: BuildPlace): Omit<SandboxRequest, 'argv'> {
  const { request, jobs = availableParallelism() } = build;
  return {
    layers: [join(work, 'macros'), ...root.layers],
    mounts: [{ source: join(work, 'top'), target: TOP_DIRECTORY, writable: true }],
    cwd: TOP_DIRECTORY,
    environment: { ...BUILD_ENVIRONMENT, ...request.environment, RPM_BUILD_NCPUS: String(jobs) },
    identity: 'builder',
    limits: { ...request.limits, memoryBytes: Math.min(request.limits.memoryBytes, mostMemory()) },
    ...(request.network === true ? { network: true } : {}),
  };
}

/** What is left to the machine and to Kiln, when builds may have more than there is. */
const REST = 0.1;

function mostMemory(): number {
  const constrained = process.constrainedMemory();
  const total = constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
  return Math.floor(total * (1 - REST));
}

/** The exit status of a command. @throws BuildError for a limit that was met, and those of the sandbox. */
export async function runBuildCommand(
  host: Host,
  argv: readonly [string, ...string[]],
  place: BuildPlace,
): Promise<number> {
  const { id, target, request, log } = place.build;
  const result = await runSandboxed(host, {
    ...placeRequest(place),
    argv,
    log,
    timeoutSeconds: request.limits.seconds,
    onLine: (line) =>
      reportSection(line, (section) => host.emit({ type: 'progress', action: target, subject: id, message: section })),
  });
  if (result.timedOut || result.breach !== undefined) throw await buildFailure(place, result);
  return result.status;
}

type Ending = Partial<Pick<Awaited<ReturnType<typeof runSandboxed>>, 'timedOut' | 'breach'>> & {
  readonly status: number;
};

/** The error for a command that failed or was ended. */
export async function buildFailure(
  { build }: Pick<BuildPlace, 'build'>,
  { status, timedOut = false, breach }: Ending,
): Promise<BuildError> {
  const { id, source, specText, log, request } = build;
  return explainFailure({
    subject: id,
    specFile: source.specFile,
    specText,
    status,
    timedOut,
    ...(breach === undefined ? {} : { breach }),
    tail: await endOf(log),
    log,
    limitSeconds: request.limits.seconds,
  });
}

/** The error with the place of the spec and the log, when it names none. */
export function withLocation(error: unknown, { source, log }: PackageBuild): unknown {
  if (!(error instanceof BuildError) || error.log !== undefined) return error;
  const { code, message, location = { file: source.specFile, line: 1 }, hint, command, diagnostics } = error;
  return new BuildError(code, message, { location, hint, command, diagnostics, log, cause: error });
}

const KEPT_BYTES = 64 * 1024;

/** The end of the log: standard output and error in their order. */
async function endOf(log: string): Promise<string> {
  const file = await open(log);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({
      position: Math.max(0, size - KEPT_BYTES),
      buffer: Buffer.alloc(KEPT_BYTES),
    });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** rpmbuild says `Executing(%build): …` when a section begins (build/build.c). */
function reportSection(line: string, report: (section: string) => void): void {
  const section = /^Executing\((%(?:prep|generate_buildrequires|build|install|check))\)/.exec(line)?.[1];
  if (section !== undefined) report(section);
}
