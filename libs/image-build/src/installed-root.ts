/** A root with its packages installed: by rpm the first time, then from an archive that all images with the same packages share. */
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '@kiln/host';
import { FoundRoot, foundRoot, SCAN, SCAN_COMMAND } from './found-root.ts';
import type { SharedFile } from './image-ports.ts';
import type { ImageRequest } from './image-request.ts';
import { runScript, type ImageStage, type JoinedScript } from './image-stage.ts';
import { installPackages, OUTPUT, ROOT } from './install-packages.ts';
import { parseScan } from './root-scan.ts';
import { TAR_COMMAND } from './root-tar.ts';
import { SETTLE_COMMANDS } from './settle-root.ts';

/** Raised when the same packages would give another root than before, or when other texts of it are read. */
const ROOT_RECIPE_VERSION = 2;

export interface InstalledRoot {
  /** A tar archive of the root as it is when rpm has ended, settled: the layer of the packages. */
  readonly archive: SharedFile;
  /** As it is in the archive. */
  readonly root: FoundRoot;
  /** What has to be done first: it fills the directory of the root, unless rpm has just done so. */
  readonly fill: readonly JoinedScript[];
}

/** The files that are remembered beside what find says of the root; the texts are JSON, by path. */
const [ARCHIVE, TEXTS] = ['root.tar', 'texts'] as const;

/** Where an archive is in the sandbox. */
const ARCHIVE_PLACE = '/installed.tar';

/** The time after which a file was customized: the clock of files goes on meanwhile. What was installed has no later one. */
const NOTE_TIME = `touch ${OUTPUT}/customize && sleep 0.02`;

/** Argument: source date epoch. */
const PACK_SCRIPT = `
epoch=$1
cd ${ROOT}
${SETTLE_COMMANDS}
${TAR_COMMAND} --file=${OUTPUT}/${ARCHIVE} .
${SCAN_COMMAND}
${NOTE_TIME}
`;

const UNPACK_SCRIPT = `
touch ${OUTPUT}/begin
tar --extract --file=${ARCHIVE_PLACE} --directory=${ROOT} --preserve-permissions --numeric-owner --xattrs --xattrs-include=security.capability
${NOTE_TIME}
`;

/**
 * Makes sure that the packages were installed.
 * @param texts paths of texts that later steps want to read
 * @throws BuildError those of `installPackages`; `IMAGE_INSTALL_FAILED`, `NO_SPACE`
 */
export async function installedRoot(host: Host, stage: ImageStage, texts: readonly string[]): Promise<InstalledRoot> {
  const { ports, request, directories } = stage;
  const step = { code: 'IMAGE_INSTALL_FAILED', tools: 'toolchain', changesRoot: true } as const;
  let isFilled = false;
  const files = await ports.shared({
    request: { ...rootRequest(request), texts: [...texts] },
    what: 'installation of the same packages',
    make: async (directory) => {
      await installPackages(host, ports, request, directories);
      const words = [String(request.sourceDateEpoch)];
      await runScript(stage, {
        ...step,
        script: PACK_SCRIPT,
        words,
        failure: 'the installed root could not be packed',
      });
      isFilled = true;
      const found = await foundRoot(stage, texts);
      await writeFile(join(directory, TEXTS), JSON.stringify(found.texts));
      // Work directories may be in memory.
      for (const name of [ARCHIVE, SCAN]) await copyFile(join(directories.output, name), join(directory, name));
      await rm(join(directories.output, ARCHIVE));
    },
  });
  const archive = files[ARCHIVE]!;
  const unpack: JoinedScript = {
    script: UNPACK_SCRIPT,
    failure: 'the installed root could not be unpacked',
    code: step.code,
    mounts: [{ source: archive.path, target: ARCHIVE_PLACE, writable: false }],
  };
  const [scan, known] = await Promise.all([SCAN, TEXTS].map((name) => readFile(files[name]!.path, 'utf8')));
  const root = new FoundRoot(parseScan(scan!), JSON.parse(known!) as Record<string, string>);
  return { archive, root, fill: isFilled ? [] : [unpack] };
}

/** All that decides what is in the root when its packages are installed, but for the toolchain. */
function rootRequest({ definition, arch, sourceDateEpoch, rpms }: ImageRequest) {
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
