/** Packs a settled root. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { digestFile } from '@kiln/store';
import type { ImageStage, JoinedScript } from './image-stage.ts';
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

/** Comes when the root is settled. */
export const PACK_ROOT: JoinedScript = {
  script: `cd ${ROOT} && ${TAR_COMMAND} --file=${OUTPUT}/root.tar .`,
  failure: 'the root could not be packed',
  code: 'IMAGE_PACK_FAILED',
};

/** What `PACK_ROOT` and `settleScript` made. */
export async function packedRoot({ request, directories }: ImageStage): Promise<PackedRoot> {
  const { definition } = request;
  const { output } = directories;
  const tar = join(output, 'root.tar');
  return {
    tar,
    digest: await digestFile(tar),
    osRelease: parseOsRelease(await readFile(join(output, 'os-release'), 'utf8')),
    ...(definition.removeRpmDb ? { rpmDatabase: join(output, 'rpmdb.sqlite') } : {}),
  };
}
