/** A container image in one file. */
import { join } from 'node:path';
import { ARTIFACT, type ArtifactWriter } from '../made-image.ts';
import { writeOciArchive } from '../oci-archive.ts';
import { ociDocuments } from '../oci-image.ts';

export const writeOci: ArtifactWriter = async ({ stage: { request, directories }, packed }) => {
  const { definition, arch, sourceDateEpoch } = request;
  const { layer, file } = packed.gzip!;
  const { osRelease } = packed;
  const { name, container } = definition;
  const documents = ociDocuments({ name, container, arch, sourceDateEpoch, layer, osRelease });
  const path = join(directories.output, ARTIFACT);
  await writeOciArchive(path, { documents, layer, layerFile: file, mtime: sourceDateEpoch });
};
