/** A container image in one file. */
import { join } from 'node:path';
import { containerLayers } from '../container-layers.ts';
import { ARTIFACT, type ArtifactWriter } from '../made-image.ts';
import { writeOciArchive } from '../oci-archive.ts';
import { ociDocuments } from '../oci-image.ts';

export const writeOci: ArtifactWriter = async ({ stage, packed, packagesLayer }) => {
  const { definition, arch, sourceDateEpoch } = stage.request;
  const { osRelease } = packed;
  const { name, container } = definition;
  const layers = await containerLayers(stage, packed, packagesLayer!);
  const documents = ociDocuments({ name, container, arch, sourceDateEpoch, layers, osRelease });
  await writeOciArchive(join(stage.directories.output, ARTIFACT), { documents, layers, mtime: sourceDateEpoch });
};
