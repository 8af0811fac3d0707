/** Packs a settled root. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { digestFile } from '@kiln/store';
import { runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import { parseOsRelease } from './os-release.ts';
import { TAR_COMMAND } from './root-tar.ts';

/** A packed root; paths are on the machine. */
export interface PackedRoot {
  /** Uncompressed tar archive. */
  readonly tar: string;
  /** Of that archive: the image's content whatever its form. */
  readonly digest: Sha256;
  readonly osRelease: Readonly<Record<string, string>>;
  /** The rpm database, when it was taken out of the image. */
  readonly rpmDatabase?: string;
}

const TAR_SCRIPT = `
cd ${ROOT}
${TAR_COMMAND} --file=${OUTPUT}/root.tar .
`;

/** @throws BuildError `IMAGE_PACK_FAILED` */
export async function packRoot(stage: ImageStage): Promise<PackedRoot> {
  const { definition } = stage.request;
  const { output } = stage.directories;
  await runScript(stage, {
    script: TAR_SCRIPT,
    failure: 'the root could not be packed',
    code: 'IMAGE_PACK_FAILED',
    tools: 'toolchain',
  });
  const tar = join(output, 'root.tar');
  return {
    tar,
    digest: await digestFile(tar),
    osRelease: parseOsRelease(await readFile(join(output, 'os-release'), 'utf8')),
    ...(definition.removeRpmDb ? { rpmDatabase: join(output, 'rpmdb.sqlite') } : {}),
  };
}
