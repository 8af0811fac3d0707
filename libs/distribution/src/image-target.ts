/** The `image` target: an image definition to its artifacts. */
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import {
  buildImage,
  carriedFiles,
  imageActionRequest,
  localSources,
  sharedFiles,
  usesImageTools,
  type ImagePorts,
  type ImageRequest,
  type ImageRpm,
  type LocalFileInput,
} from '@kiln/image-build';
import { inParallel } from '@kiln/host';
import type { ImageDefinition } from '@kiln/image-config';
import { ProviderIndex, resolveClosure } from '@kiln/package-graph';
import { formatDependency, formatNevra } from '@kiln/rpm-package';
import { makeWorkDirectory, memoryPlace, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import { digestFile, type Blob } from '@kiln/store';
import { TOOLCHAIN_ORIGIN } from './universe.ts';
import { throwDiagnostics } from './throw-diagnostics.ts';
import type { BuiltProvider } from './built-providers.ts';
import type { Distribution } from './distribution.ts';
import type { Session } from './session.ts';
import type { Target } from './targets.ts';
import { plannedToolRoot, toolRootLayer } from './tool-roots.ts';
import { isTrial, publishableRpms, refuseInTrial } from './trial-toolchain.ts';

/** RPMs that are looked at together. */
const AT_ONCE = 4;

export const imageTarget: Target = {
  before: (distribution, id) =>
    isTrial(distribution.config)
      ? []
      : [
          ['toolchain', TOOLCHAIN_ORIGIN],
          ...distribution.findImage(id).dependencies.map((dependency) => ['rpm', dependency] as const),
          ...systemsOf(distribution, id).map((system) => ['image', system] as const),
        ],

  async key(session, id): Promise<Sha256 | undefined> {
    refuseInTrial(session.distribution.config, `the image ${id}`);
    const plan = await imageContents(session, id);
    return plan === undefined ? undefined : imageIdentity(session, plan);
  },

  async build(session, id) {
    const { store, distribution } = session;
    const plan = await imageContents(session, id);
    if (plan === undefined) throw new BuildError('PLAN_STALE', `a package of the image ${id} is not built`);
    await inParallel(plan.rpms, AT_ONCE, ({ blob, fileName }) => store.requireIntact(blob, fileName));
    for (const system of plan.definition.installer?.systems ?? []) {
      const { result } = await session.state('image', system.image);
      for (const fileName of carriedFiles(system).values())
        await store.requireIntact(result!.outputs[fileName]!, fileName);
    }
    const outputDirectory = await store.temporaryPath('image');
    const log = join(distribution.root, imageTarget.log(id));
    await mkdir(join(log, '..'), { recursive: true });
    await rm(log, { force: true });
    try {
      const built = await buildWherePossible(session, plan, {
        ...imageRequest(session, plan),
        outputDirectory,
        log,
      });
      const outputs: Record<string, Blob> = {};
      for (const { fileName, path, sha256 } of built.outputs) outputs[fileName] = await store.moveFile(path, sha256);
      const { packages, osRelease, rootDigest, customized } = built;
      return { outputs, facts: { packages, osRelease, rootDigest, customized } };
    } finally {
      await rm(outputDirectory, { recursive: true, force: true });
    }
  },

  showAs: ({ config }, id, output) => join('dist', 'images', config.architecture, id, output),
  log: (id) => join('dist', 'logs', 'image', `${id}.log`),
};

/** Images whose roots are in this one. */
export function systemsOf(distribution: Distribution, id: string): string[] {
  return (distribution.findImage(id).definition?.installer?.systems ?? []).map(({ image }) => image);
}

/** What the image stage is asked for, but for where it puts the files. */
export function imageRequest(session: Session, contents: ImageContents): Omit<ImageRequest, 'outputDirectory'> {
  const { definition, sourceDateEpoch, localFiles } = contents;
  return {
    definition,
    identity: imageIdentity(session, contents),
    arch: session.distribution.config.architecture,
    sourceDateEpoch,
    rpms: imageRpms(session, contents),
    localFiles,
  };
}

/** Bytes of work for each byte of packed RPMs (the root, archives of it, file systems, disks, artifacts), and for each of the definition's files. */
const WORK = { rpm: 24, file: 6 };

/** In memory when there is plenty of it, else in the store; both give the same bytes. */
async function buildWherePossible(session: Session, contents: ImageContents, request: ImageRequest) {
  const place = await placeInMemory(contents);
  try {
    return await buildImage(session.host, await imagePorts(session, place), request);
  } catch (error) {
    if (place === undefined || !(error instanceof BuildError) || error.code !== 'NO_SPACE') throw error;
    await rm(request.outputDirectory, { recursive: true, force: true });
    return buildImage(session.host, await imagePorts(session), request);
  }
}

/** For the work directories of an image; undefined when they belong on a disk. */
export async function placeInMemory({ rpms, localFiles, definition }: ImageContents): Promise<string | undefined> {
  const { postInstallScripts, finalizeScripts } = definition.customization;
  // Scripts may write as much as they like.
  if (postInstallScripts.length + finalizeScripts.length > 0) return undefined;
  const files = await Promise.all(Object.values(localFiles).map(({ path }) => stat(path)));
  const sum = (list: readonly { readonly size: number }[]) => list.reduce((bytes, { size }) => bytes + size, 0);
  return memoryPlace(WORK.rpm * sum(rpms.map(({ blob }) => blob)) + WORK.file * sum(files));
}

/** The digest of all that decides what comes out. */
function imageIdentity({ distribution }: Session, contents: ImageContents): Sha256 {
  const { definition, rpms, specs, sourceDateEpoch, localFiles } = contents;
  const { config, toolchain } = distribution;
  return digestOf(
    imageActionRequest({
      definition,
      arch: config.architecture,
      sourceDateEpoch,
      rpms: rpms.map((rpm) => ({
        nevra: formatNevra(rpm),
        artifactDigest: rpm.artifact,
        origin: specs.get(rpm.origin),
      })),
      localFiles: digestsOf(localFiles),
      toolchain: toolchain.identity,
      ...(usesImageTools(definition) ? { imageTools: plannedToolRoot(distribution, 'imageTools').layerIdentity } : {}),
    }),
  );
}

/** What an image is made of: the run-time closure of its packages over what was really built. */
export interface ImageContents {
  readonly definition: ImageDefinition;
  readonly rpms: readonly BuiltProvider[];
  /** Seconds since the epoch: the newest build time of the packages. */
  readonly sourceDateEpoch: number;
  /** The specs that the packages were built from, by the origin of the provider. */
  readonly specs: ReadonlyMap<string, string>;
  /** What the image is made of beside packages: files by path in the workspace, files of other images by `carriedFiles`. */
  readonly localFiles: Readonly<Record<string, LocalFileInput>>;
}

/**
 * Undefined while a package or an image in this one isn't built.
 * @throws BuildError of the definition's diagnostics; `PLAN_STALE`.
 */
export async function imageContents(session: Session, id: string): Promise<ImageContents | undefined> {
  const image = session.distribution.findImage(id);
  throwDiagnostics(image.file, image.diagnostics);
  const providers: BuiltProvider[] = [];
  const specs = new Map<string, string>();
  for (const dependency of image.dependencies) {
    const { result } = await session.state('rpm', dependency);
    if (result === undefined) return undefined;
    const project = session.distribution.findPackage(dependency);
    const built = publishableRpms(project, result);
    providers.push(...built);
    for (const { origin } of built) specs.set(origin, project.specFile);
  }
  const definition = image.definition!;
  const carried = await systemFiles(session, definition);
  if (carried === undefined) return undefined;
  const requirements = definition.packages.map(({ dependency }) => dependency);
  const { members, unresolved } = resolveClosure(new ProviderIndex(providers), requirements);
  const [lack] = unresolved;
  if (lack !== undefined) {
    const by = lack.requiredBy === undefined ? image.file : `the package ${lack.requiredBy} of ${image.file}`;
    throw new BuildError(
      'PLAN_STALE',
      `${by} requires '${formatDependency(lack.dependency)}', which no planned package provides`,
      {
        location: { file: image.file, line: 1 },
        hint: 'run `kiln provides` to record what the built RPMs provide and require, then run the same command again',
      },
    );
  }
  const rpms = members as readonly BuiltProvider[];
  return {
    definition,
    rpms,
    specs,
    sourceDateEpoch: Math.max(0, ...rpms.map(({ buildTime }) => buildTime)),
    localFiles: { ...(await localFilesOf(session, definition)), ...carried },
  };
}

async function localFilesOf(
  { distribution }: Session,
  definition: ImageDefinition,
): Promise<Record<string, LocalFileInput>> {
  const files: Record<string, LocalFileInput> = {};
  for (const source of localSources(definition)) {
    const path = join(distribution.root, source);
    files[source] = { path, sha256: await digestFile(path) };
  }
  return files;
}

/** What an installer has of its systems; undefined while one isn't made. */
async function systemFiles(
  session: Session,
  { installer }: ImageDefinition,
): Promise<Record<string, LocalFileInput> | undefined> {
  const files: Record<string, LocalFileInput> = {};
  for (const system of installer?.systems ?? []) {
    const { result } = await session.state('image', system.image);
    for (const [key, fileName] of carriedFiles(system)) {
      const blob = result?.outputs[fileName];
      if (blob === undefined) return undefined;
      files[key] = { path: session.store.blobPath(blob.sha256), sha256: blob.sha256 };
    }
  }
  return files;
}

function digestsOf(files: Readonly<Record<string, LocalFileInput>>): Record<string, Sha256> {
  return Object.fromEntries(Object.entries(files).map(([source, { sha256 }]) => [source, sha256]));
}

/** The RPMs with their places in the store. */
export function imageRpms({ store }: Session, { rpms, specs }: ImageContents): ImageRpm[] {
  return rpms.map((rpm) => ({
    path: store.blobPath(rpm.blob.sha256),
    nevra: formatNevra(rpm),
    sha256: rpm.blob.sha256,
    origin: specs.get(rpm.origin),
  }));
}

/** The doors of the image stage on this session's toolchain. @param place of the work directories, if not in the store */
export async function imagePorts(session: Session, place?: string): Promise<ImagePorts> {
  const { host, store, distribution } = session;
  const { layer } = await session.toolchain();
  return {
    run: ({ layers, ...request }) => runSandboxed(host, { ...request, layers: layers ?? [layer], identity: 'root' }),
    imageTools: () => toolRootLayer(session, 'imageTools'),
    bootTools: () => toolRootLayer(session, 'bootTools'),
    shared: ({ request, ...step }) =>
      sharedFiles(store, digestOf({ request, toolchain: distribution.toolchain.identity }), step),
    makeWorkDirectory: (name) => makeWorkDirectory(host, store, name, place),
    removeWorkDirectory: (directory) => removeWorkDirectory(host, directory),
  };
}
