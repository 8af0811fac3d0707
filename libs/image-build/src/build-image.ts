/** The image stage: RPMs → root → artifacts. */
import { constants, copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import type { Host } from '@kiln/host';
import type { BuiltArtifactType } from '@kiln/image-config';
import { digestFile } from '@kiln/store';
import { customizeRoot, finalizeRoot } from './customize-root.ts';
import { withWorkDirectories, type ImagePorts } from './image-ports.ts';
import type { ImageRequest } from './image-request.ts';
import { installPackages } from './install-packages.ts';
import { writeOciArchive } from './oci-archive.ts';
import { ociDocuments } from './oci-image.ts';
import { packRoot, type PackedRoot } from './pack-root.ts';

/** A file that the stage made. */
export interface ImageOutput {
  readonly fileName: string;
  readonly path: string;
  readonly sha256: Sha256;
}

export interface BuiltImage {
  /** The artifacts, then `<name>.rpmdb.sqlite` when the image has no rpm database, then SHA256SUMS. */
  readonly outputs: readonly ImageOutput[];
  /** NEVRAs, in the order of the request. */
  readonly packages: readonly string[];
  readonly osRelease: Readonly<Record<string, string>>;
  /** Of the root as an uncompressed tar archive: the image's content whatever its form. */
  readonly rootDigest: Sha256;
  /** Absolute paths in the image that are not as the packages have them: added, changed or removed by the definition; sorted. */
  readonly customized: readonly string[];
}

export const CHECKSUM_FILE = 'SHA256SUMS';

/** One writer for each type of artifact: writes `path` from the packed root. */
const ARTIFACT_WRITERS: Readonly<
  Record<BuiltArtifactType, (request: ImageRequest, root: PackedRoot, path: string) => Promise<void>>
> = {
  'tar.gz': (_, root, path) => copyFile(root.file, path, constants.COPYFILE_FICLONE),
  oci: (request, root, path) => {
    const { definition, arch, sourceDateEpoch } = request;
    const { layer, osRelease, file } = root;
    const documents = ociDocuments({
      name: definition.name,
      container: definition.container,
      arch,
      sourceDateEpoch,
      layer,
      osRelease,
    });
    return writeOciArchive(path, { documents, layer, layerFile: file, mtime: sourceDateEpoch });
  },
};

/** The file beside an image without rpm database that says what is in it. */
export function rpmDatabaseFileName(name: string): string {
  return `${name}.rpmdb.sqlite`;
}

/**
 * Installs the RPMs into an empty root and writes the definition's artifacts; equal requests give equal bytes. Nothing stays behind when it
 * fails; artifacts appear when they are complete.
 * @throws BuildError those of `installPackages`, `customizeRoot` and `packRoot`, `IMAGE_ARCH_UNKNOWN`
 */
export async function buildImage(host: Host, ports: ImagePorts, request: ImageRequest): Promise<BuiltImage> {
  const { definition, outputDirectory } = request;
  const names = ['root', 'output', 'packages'].map((what) => `image-${definition.name}-${what}`);
  return withWorkDirectories(ports, names, async ([root, output, packages]) => {
    const directories = { root: root!, output: output!, packages: packages! };
    await installPackages(host, ports, request, directories);
    const stage = { ports, request, directories };
    const installed = await customizeRoot(stage);
    const customized = await finalizeRoot(stage, installed);
    const packed = await packRoot(ports, request, directories);

    await mkdir(outputDirectory, { recursive: true });
    const outputs: ImageOutput[] = [];
    const publish = async (fileName: string, write: (path: string) => Promise<void>) => {
      const path = join(outputDirectory, fileName);
      await writeWhole(path, write);
      outputs.push({ fileName, path, sha256: await digestFile(path) });
    };
    for (const { type, fileName } of definition.artifacts) {
      await publish(fileName, (path) => ARTIFACT_WRITERS[type](request, packed, path));
    }
    const { rpmDatabase } = packed;
    if (rpmDatabase !== undefined)
      await publish(rpmDatabaseFileName(definition.name), (path) => copyFile(rpmDatabase, path));
    const sums = outputs.map(({ sha256, fileName }) => `${sha256}  ${fileName}\n`).join('');
    await publish(CHECKSUM_FILE, (path) => writeFile(path, sums));
    return {
      outputs,
      packages: request.rpms.map(({ nevra }) => nevra),
      osRelease: packed.osRelease,
      rootDigest: packed.layer.diffId,
      customized,
    };
  });
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
