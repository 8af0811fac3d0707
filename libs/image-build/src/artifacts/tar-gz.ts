/** The root as a tar archive that is packed with gzip. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { runScript } from '../image-stage.ts';
import { OUTPUT } from '../install-packages.ts';
import { ARTIFACT, type ArtifactWriter } from '../made-image.ts';
import { GZIP_FUNCTION } from '../root-tar.ts';

export const writeTarGz: ArtifactWriter = async ({ stage }) => {
  await runScript(stage, {
    script: `${GZIP_FUNCTION}\ngzip_pieces ${OUTPUT}/root.tar`,
    failure: 'the root could not be packed',
    code: 'IMAGE_PACK_FAILED',
    tools: 'toolchain',
  });
  const { output } = stage.directories;
  await rename(join(output, 'root.tar.gz'), join(output, ARTIFACT));
};
