/** The `boot-test` target: proves that an image works and holds what it should: a disk in a virtual machine, a container in a sandbox. */
import { mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import {
  bootArtifacts,
  bootDisk,
  bootInstaller,
  bootTest,
  rpmDatabaseFileName,
  type BootedSystem,
  type BootReport,
} from '@kiln/image-build';
import type { ActionResult } from '@kiln/store';
import type { ImageDefinition } from '@kiln/image-config';
import { imageContents, imagePorts, imageRpms, type ImageContents } from './image-target.ts';
import type { ImageProject } from './package-project.ts';
import type { Session } from './session.ts';
import type { Target } from './targets.ts';
import { plannedToolRoot } from './tool-roots.ts';

/** Raise it when the test looks at more or other things. */
const RECIPE_VERSION = 4;

export const bootTestTarget: Target = {
  before: (_, id) => [['image', id]],

  async key(session, id): Promise<Sha256 | undefined> {
    const { result } = await session.state('image', id);
    if (result === undefined) return undefined;
    return digestOf({
      stage: 'boot-test',
      recipeVersion: RECIPE_VERSION,
      image: result.key,
      packages: session.distribution.findImage(id).definition?.packages.map(({ dependency }) => dependency.name),
      outputs: result.outputs,
      toolchain: session.distribution.toolchain.identity,
      ...(startsDisk(session, id)
        ? { bootTools: plannedToolRoot(session.distribution, 'bootTools').layerIdentity }
        : {}),
    });
  },

  async build(session, id) {
    const { store, distribution } = session;
    const [contents, image] = [await imageContents(session, id), (await session.state('image', id)).result];
    if (contents === undefined || image === undefined)
      throw new BuildError('PLAN_STALE', `the image ${id} is not made`);
    for (const [name, blob] of Object.entries(image.outputs)) await store.requireIntact(blob, name);
    for (const { blob, fileName } of contents.rpms) await store.requireIntact(blob, fileName);
    const log = join(distribution.root, bootTestTarget.log(id));
    await mkdir(dirname(log), { recursive: true });
    await rm(log, { force: true });
    const report = await startImage(session, id, { contents, image, log });
    return {
      outputs: { 'report.json': await store.putText(`${JSON.stringify(report, undefined, 2)}\n`) },
      facts: null,
    };
  },

  showAs: ({ config }, id, output) => join('dist', 'boot-tests', config.architecture, id, output),
  log: (id) => join('dist', 'logs', 'boot-test', `${id}.log`),
};

/** Whether the boot test has anything to start; a definition that can't be read may have. */
export function isBootable({ definition }: Pick<ImageProject, 'definition'>): boolean {
  return definition === undefined || bootArtifacts(definition) !== undefined || hasContainer(definition);
}

function hasContainer({ artifacts }: ImageDefinition): boolean {
  return artifacts.some(({ type, compression }) => type === 'oci' && compression === undefined);
}

function startsDisk({ distribution }: Session, id: string): boolean {
  const { definition } = distribution.findImage(id);
  return definition !== undefined && bootArtifacts(definition) !== undefined;
}

interface MadeImage {
  readonly contents: ImageContents;
  readonly image: ActionResult;
  readonly log: string;
}

async function startImage(session: Session, id: string, { contents, image, log }: MadeImage): Promise<BootReport> {
  const { host, store } = session;
  const { outputs } = image;
  const { definition } = contents;
  const rpms = imageRpms(session, contents);
  const ports = await imagePorts(session);
  const started = bootArtifacts(definition);
  const installable = definition.installer?.systems ?? [];
  if (started !== undefined && installable.length > 0) {
    const systems: BootedSystem[] = [];
    for (const { image: name } of installable) {
      const installed = await imageContents(session, name);
      if (installed === undefined) throw new BuildError('PLAN_STALE', `the image ${name} is not made`);
      systems.push({ definition: installed.definition, rpms: imageRpms(session, installed) });
    }
    return bootInstaller(host, ports, {
      definition,
      iso: store.blobPath(outputs[started[0]!.fileName]!.sha256),
      systems,
      log,
    });
  }
  if (started !== undefined) {
    const files = new Map(started.map((one) => [one, store.blobPath(outputs[one.fileName]!.sha256)]));
    return bootDisk(host, ports, { definition, files, rpms, log });
  }
  const archive = outputs[definition.artifacts.find(({ type }) => type === 'oci')?.fileName ?? ''];
  if (archive === undefined) {
    throw new BuildError('IMAGE_NOT_BOOTABLE', `${definition.file} makes nothing that the boot test can start`, {
      location: { file: definition.file, line: 1 },
      hint: 'add a container ("oci") or, with a boot loader, a disk (such as "qcow2") to its Artifacts',
    });
  }
  const database = outputs[rpmDatabaseFileName(definition.name)];
  return bootTest(host, ports, {
    definition,
    archive: store.blobPath(archive.sha256),
    rpms,
    sourceRpms: await sourceRpms(session, id),
    ...(database === undefined ? {} : { rpmDatabase: store.blobPath(database.sha256) }),
    customized: (image.facts as { readonly customized?: readonly string[] }).customized ?? [],
    startedPackages: definition.packages.map(({ dependency }) => dependency.name),
    hasOwnToolchain: session.distribution.toolchain.kind === 'repository',
    hostPaths: machinePaths(session),
    log,
  });
}

/** The source packages of all that the image may be made of: path by file name. */
async function sourceRpms(session: Session, id: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const dependency of session.distribution.findImage(id).dependencies) {
    const { result } = await session.state('rpm', dependency);
    for (const [name, { sha256 }] of Object.entries(result?.outputs ?? {})) {
      if (name.endsWith('.src.rpm')) found.set(name, session.store.blobPath(sha256));
    }
  }
  return found;
}

/** Paths of this machine that have no business in an image; short ones would be found by chance. */
function machinePaths({ distribution, store }: Session): string[] {
  return [distribution.root, store.directory, homedir()].filter((path) => path.length > 5);
}
