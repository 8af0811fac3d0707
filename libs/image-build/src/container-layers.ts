/**
 * The layers of a container: the packages as rpm installed them, which all images with the same packages share, in the store, in registries and on
 * the machines that run them; above it what the definition changes.
 */
import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { digestFile } from '@kiln/store';
import { runScript, type ImageStage } from './image-stage.ts';
import { RPM_DATABASE } from './install-packages.ts';
import type { InstalledRoot } from './installed-root.ts';
import { writeDifference, writeWithout } from './layer-difference.ts';
import type { OciLayer } from './oci-image.ts';
import type { PackedRoot } from './pack-root.ts';
import { GZIP_FUNCTION } from './root-tar.ts';

/** Raised when the same archive would be packed to other bytes. */
const LAYER_RECIPE_VERSION = 1;

export interface LayerFile extends OciLayer {
  /** The compressed archive. */
  readonly file: string;
}

/** The lowest layer, with the archive that it was made of. */
export interface PackagesLayer extends LayerFile {
  readonly archive: string;
  /** Paths that are in the archive and not in the layer, as they stand in there. */
  readonly missing: ReadonlySet<string>;
}

/** Names of what is remembered: the packed archive, and the digest of what it is when it is unpacked. */
const [PACKED, DIFF_ID] = ['layer.tar.gz', 'diff-id'] as const;

/** Packs the installed packages, unless it was done for another image. @throws BuildError `IMAGE_PACK_FAILED`, `NO_SPACE` */
export async function makePackagesLayer(stage: ImageStage, { archive }: InstalledRoot): Promise<PackagesLayer> {
  // What is hidden by a higher layer can still be read.
  const { removeRpmDb } = stage.request.definition;
  const missing = new Set(removeRpmDb ? [`.${RPM_DATABASE}/rpmdb.sqlite`] : []);
  const files = await stage.ports.shared({
    request: {
      stage: 'image-layer',
      recipeVersion: LAYER_RECIPE_VERSION,
      archive: archive.sha256,
      missing: [...missing],
    },
    what: 'layer of the same packages',
    make: async (directory) => {
      const { path, sha256 } = missing.size === 0 ? archive : await archiveWithout(stage, archive.path, missing);
      await writeFile(join(directory, DIFF_ID), sha256);
      const packed = await pack(stage, { path, name: 'packages' });
      await copyFile(packed, join(directory, PACKED));
      await rm(packed);
    },
  });
  const { path: file, sha256: digest, size } = files[PACKED]!;
  const diffId = (await readFile(files[DIFF_ID]!.path, 'utf8')) as Sha256;
  return { file, digest, size, diffId, content: 'packages', archive: archive.path, missing };
}

/** All layers of an image, lowest first. @throws BuildError `IMAGE_PACK_FAILED`, `IMAGE_ARTIFACT_FAILED`, `NO_SPACE` */
export async function containerLayers(
  stage: ImageStage,
  { tar }: PackedRoot,
  packages: PackagesLayer,
): Promise<LayerFile[]> {
  const { archive: below, missing } = packages;
  const path = join(stage.directories.output, 'definition.tar');
  const mtime = stage.request.sourceDateEpoch;
  if (!(await writeDifference(path, { below, root: tar, missing, mtime }))) return [packages];
  const diffId = await digestFile(path);
  const file = await pack(stage, { path, name: 'definition' });
  const { size } = await stat(file);
  return [packages, { file, size, digest: await digestFile(file), diffId, content: 'definition' }];
}

async function archiveWithout(stage: ImageStage, archive: string, missing: ReadonlySet<string>) {
  const path = join(stage.directories.output, 'packages.tar');
  await writeWithout(path, { archive, missing });
  return { path, sha256: await digestFile(path) };
}

/** Gives the path of the packed file, which is in the output directory. */
async function pack(
  stage: ImageStage,
  { path, name }: { readonly path: string; readonly name: string },
): Promise<string> {
  const place = `/${name}.tar`;
  await runScript(stage, {
    script: `${GZIP_FUNCTION}\ngzip_pieces ${place}`,
    failure: 'a layer could not be packed',
    code: 'IMAGE_PACK_FAILED',
    tools: 'toolchain',
    mounts: [{ source: path, target: place, writable: false }],
  });
  return join(stage.directories.output, `${name}.tar.gz`);
}
