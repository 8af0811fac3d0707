/** The image stage: RPMs → root → artifacts. */
import { copyFile, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { inParallel, type Host } from '@kiln/host';
import { copySparse, digestOpenFile } from '@kiln/store';
import { writeArtifact, writePartitionArtifact } from './artifact-writers.ts';
import { composeDisk, hidingScript } from './compose-disk.ts';
import { makePackagesLayer, type PackagesLayer } from './container-layers.ts';
import { customizeRoot, finalizeRoot, READ_FILES } from './customize-root.ts';
import { atPlace } from './definition-place.ts';
import { planDisk, type DiskPlan } from './disk-plan.ts';
import { CHECKSUM_FILE, RPM_DATABASE_SUFFIX, SBOM_SUFFIX } from './image-files.ts';
import { withWorkDirectoriesFirst, type ImagePorts } from './image-ports.ts';
import type { ImageRequest } from './image-request.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { installedRoot, type InstalledRoot } from './installed-root.ts';
import { ARTIFACT, type MadeImage } from './made-image.ts';
import { PACK_ROOT, packedRoot, type PackedRoot } from './pack-root.ts';
import { bootScript, LOOK_FOR_BOOT } from './prepare-boot.ts';
import { rootLabels, type RootLabels } from './selinux-labels.ts';
import { settleScript } from './settle-root.ts';
import { writeSbom } from './write-sbom.ts';

/** A file that the stage made. */
export interface ImageOutput {
  readonly fileName: string;
  readonly path: string;
  readonly sha256: Sha256;
}

export interface BuiltImage {
  /** The artifacts, then `<name>.rpmdb.sqlite` when the image has no rpm database, `<name>.spdx.json`, SHA256SUMS. */
  readonly outputs: readonly ImageOutput[];
  /** NEVRAs, in the order of the request. */
  readonly packages: readonly string[];
  readonly osRelease: Readonly<Record<string, string>>;
  /** Of the root as an uncompressed tar archive: the image's content whatever its form. */
  readonly rootDigest: Sha256;
  /** Absolute paths in the image that are not as the packages have them: added, changed or removed by the definition; sorted. */
  readonly customized: readonly string[];
}

/** The file beside an image without rpm database that says what is in it. */
export function rpmDatabaseFileName(name: string): string {
  return `${name}${RPM_DATABASE_SUFFIX}`;
}

/**
 * Installs the RPMs into an empty root and writes the definition's artifacts; equal requests give equal bytes. Nothing stays behind when it
 * fails; artifacts appear when they are complete.
 * @throws BuildError those of `installedRoot`, `customizeRoot`, `bootScript`, `composeDisk`; `IMAGE_ARTIFACT_FAILED`,
 * `IMAGE_INSTALLER_WRONG`, `IMAGE_ARCH_UNKNOWN`, `NO_SPACE`
 */
export async function buildImage(host: Host, ports: ImagePorts, request: ImageRequest): Promise<BuiltImage> {
  const { definition } = request;
  const names = ['root', 'output'].map((what) => `image-${definition.name}-${what}`);
  const make = async ([root, output]: readonly string[]) => {
    const stage = { ports, request, directories: { root: root!, output: output! } };
    return atPlace(definition, '', () => makeFiles(host, stage));
  };
  return withWorkDirectoriesFirst(ports, names, make, async ({ files, packed, customized }) => ({
    outputs: await describeFiles(request, packed, files),
    packages: request.rpms.map(({ nevra }) => nevra),
    osRelease: packed.osRelease,
    rootDigest: packed.digest,
    customized,
  }));
}

/** A file for the user, whose digest is being made. */
interface MadeFile {
  readonly fileName: string;
  readonly sha256: Promise<Sha256>;
}

interface MadeFiles {
  readonly files: readonly MadeFile[];
  readonly packed: PackedRoot;
  readonly customized: readonly string[];
}

async function makeFiles(host: Host, stage: ImageStage): Promise<MadeFiles> {
  const { request } = stage;
  const { definition } = request;
  const installed = await installedRoot(host, stage, READ_FILES);
  const plan = definition.disk === undefined ? undefined : planDisk(definition.disk, request.identity);
  let packagesLayer: PackagesLayer | undefined;
  let customized: readonly string[] = [];
  const packPackages = async () => void (packagesLayer = await makePackagesLayer(stage, installed));
  const customize = async () => void (customized = await completeRoot(stage, installed, plan));
  const isContainer = definition.artifacts.some(({ type }) => type === 'oci');
  await inParallel(isContainer ? [packPackages, customize] : [customize], 2, (one) => one());
  const labels = await labelsFor(stage);
  if (plan !== undefined) say(host, request, 'making the disk');
  const packed =
    plan === undefined ? await packedRoot(stage) : await packBeside(stage, () => composeDisk(stage, plan, labels));
  const made: MadeImage = {
    stage,
    packed,
    ...(packagesLayer && { packagesLayer }),
    ...(plan && { plan }),
    ...(labels && { labels }),
  };
  return { files: await writeFiles(host, made), packed, customized };
}

/** Does to an installed root what the definition says; nothing changes it afterwards. Gives the paths that aren't as the packages have them. */
async function completeRoot(
  stage: ImageStage,
  installed: InstalledRoot,
  plan: DiskPlan | undefined,
): Promise<readonly string[]> {
  if (plan === undefined) {
    await customizeRoot(stage, installed, []);
    return finalizeRoot(stage, installed.root, { first: [], last: [settleScript(stage), PACK_ROOT] });
  }
  await customizeRoot(stage, installed, [LOOK_FOR_BOOT]);
  const first = [await bootScript(stage, plan)];
  return finalizeRoot(stage, installed.root, { first, last: [settleScript(stage), hidingScript(stage, plan)] });
}

function say(host: Host, { definition }: ImageRequest, message: string): void {
  host.emit({ type: 'progress', action: 'image', subject: definition.name, message });
}

/** The root isn't changed any more, so that other work can read it at the same time. */
async function packBeside(stage: ImageStage, work: () => Promise<void>): Promise<PackedRoot> {
  let packed: PackedRoot | undefined;
  const pack = async () => {
    await runScript(stage, { ...PACK_ROOT, tools: 'toolchain' });
    packed = await packedRoot(stage);
  };
  await inParallel([pack, work], 2, (one) => one());
  return packed!;
}

/** Archives have no labels. */
const LABELLED_ARTIFACTS: ReadonlySet<string> = new Set(['erofs', 'ext4', 'iso', 'squashfs', 'xfs']);

async function labelsFor(stage: ImageStage): Promise<RootLabels | undefined> {
  const { artifacts, disk } = stage.request.definition;
  const isLabelled = disk !== undefined || artifacts.some(({ type }) => LABELLED_ARTIFACTS.has(type));
  return isLabelled ? rootLabels(stage) : undefined;
}

/** All that is made of the root and its disk. */
async function writeFiles(host: Host, made: MadeImage): Promise<MadeFile[]> {
  const { stage, packed, plan } = made;
  const { definition, outputDirectory } = stage.request;
  const artifactPath = join(stage.directories.output, ARTIFACT);
  await mkdir(outputDirectory, { recursive: true });
  const files: MadeFile[] = [];
  const publish = async (fileName: string, write: () => Promise<void>) => {
    say(host, stage.request, `writing ${fileName}`);
    await write();
    // Of the file in memory: the holes of a copy on a disk take several times as long to read.
    files.push(await digested(fileName, artifactPath));
    await writeWhole(join(outputDirectory, fileName), (path) => copySparse(host, artifactPath, path));
    await rm(artifactPath);
  };
  for (const artifact of definition.artifacts) await publish(artifact.fileName, () => writeArtifact(made, artifact));
  for (const partition of plan?.partitions ?? []) {
    for (const artifact of partition.definition.artifacts)
      await publish(artifact.fileName, () => writePartitionArtifact(made, partition, artifact));
  }
  const { rpmDatabase } = packed;
  if (rpmDatabase !== undefined) {
    const fileName = rpmDatabaseFileName(definition.name);
    await writeWhole(join(outputDirectory, fileName), (path) => copyFile(rpmDatabase, path));
    files.push(await digested(fileName, rpmDatabase));
  }
  return files;
}

/** Begins with the digest of a file, which from now on may be removed. */
async function digested(fileName: string, path: string): Promise<MadeFile> {
  const sha256 = digestOpenFile(await open(path));
  // Whoever waits for it is told; nobody does when something else fails first.
  sha256.catch(() => undefined);
  return { fileName, sha256 };
}

/** Adds the bill of materials and the checksums. */
async function describeFiles(
  request: ImageRequest,
  packed: PackedRoot,
  files: readonly MadeFile[],
): Promise<ImageOutput[]> {
  const { definition, outputDirectory } = request;
  const described = async ({ fileName, sha256 }: MadeFile): Promise<ImageOutput> => ({
    fileName,
    path: join(outputDirectory, fileName),
    sha256: await sha256,
  });
  const written = (fileName: string) => digested(fileName, join(outputDirectory, fileName));
  const sbom = `${definition.name}${SBOM_SUFFIX}`;
  const image = { rootDigest: packed.digest, osRelease: packed.osRelease };
  await writeWhole(join(outputDirectory, sbom), (path) => writeSbom(request, image, path));
  const outputs = await Promise.all([...files, await written(sbom)].map(described));
  const sums = outputs.map(({ sha256, fileName }) => `${sha256}  ${fileName}\n`).join('');
  await writeWhole(join(outputDirectory, CHECKSUM_FILE), (path) => writeFile(path, sums));
  return [...outputs, await described(await written(CHECKSUM_FILE))];
}

/** Writes beside `path` and renames. */
async function writeWhole(path: string, write: (path: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await write(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
