/** A root with its packages installed: by rpm the first time, then from an archive that all images with the same packages share. */
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@kiln/build-identity';
import type { Host } from '@kiln/host';
import type { ImageRequest } from './image-request.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { installPackages, OUTPUT, ROOT } from './install-packages.ts';

/** Raised when the same packages would give another root than before. */
const ROOT_RECIPE_VERSION = 1;

const ARCHIVE = 'installed.tar';

/** Where an archive is in the sandbox. */
const ARCHIVE_PLACE = '/installed.tar';

/**
 * Argument: source date epoch. What the transaction made itself and what is later than the epoch gets the epoch, as long as it can be told; directories
 * get it when the root is complete.
 */
const PACK_SCRIPT = `
cd ${ROOT}
find . ! -type d \\( -newermt "@$1" -o \\( -newer ${OUTPUT}/begin ! -newermt now \\) \\) -exec touch --no-dereference --date="@$1" {} +
tar --create --file=${OUTPUT}/${ARCHIVE} --format=pax --numeric-owner --xattrs --xattrs-include=security.capability --warning=no-file-ignored .
`;

const UNPACK_SCRIPT = `
touch ${OUTPUT}/begin
tar --extract --file=${ARCHIVE_PLACE} --directory=${ROOT} --preserve-permissions --numeric-owner --xattrs --xattrs-include=security.capability
`;

/** Fills the empty root. @throws BuildError those of `installPackages`; `IMAGE_INSTALL_FAILED`, `NO_SPACE` */
export async function fillRoot(host: Host, stage: ImageStage): Promise<void> {
  const { ports, request, directories } = stage;
  let isFilled = false;
  const archive = await ports.rootArchive(rootRequest(request), async (path) => {
    await installPackages(host, ports, request, directories);
    await runScript(stage, {
      script: PACK_SCRIPT,
      words: [String(request.sourceDateEpoch)],
      failure: 'the installed root could not be packed',
      code: 'IMAGE_INSTALL_FAILED',
      tools: 'toolchain',
      changesRoot: true,
    });
    isFilled = true;
    const archive = join(directories.output, ARCHIVE);
    // Work directories may be in memory.
    await copyFile(archive, path);
    await rm(archive);
  });
  if (isFilled) return;
  await runScript(stage, {
    script: UNPACK_SCRIPT,
    failure: 'the installed root could not be unpacked',
    code: 'IMAGE_INSTALL_FAILED',
    tools: 'toolchain',
    changesRoot: true,
    mounts: [{ source: archive, target: ARCHIVE_PLACE, writable: false }],
  });
}

/** All that decides what is in the root when its packages are installed, but for the toolchain. */
function rootRequest({ definition, arch, sourceDateEpoch, rpms }: ImageRequest): Json {
  return {
    stage: 'image-root',
    recipeVersion: ROOT_RECIPE_VERSION,
    arch,
    sourceDateEpoch,
    disableRpmDocs: definition.disableRpmDocs,
    languages: definition.languages ?? null,
    rpms: rpms.map(({ nevra, sha256 }) => ({ nevra, sha256 })),
  };
}
