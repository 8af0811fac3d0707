/** The root's files as one file system. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LEAST_XFS_MIB } from '@kiln/image-config';
import { MIB, uuidFrom } from '../disk-plan.ts';
import { FILE_SYSTEM_MAKERS, MAKE_EROFS, MAKE_SQUASHFS } from '../file-systems.ts';
import { runScript } from '../image-stage.ts';
import { OUTPUT, ROOT } from '../install-packages.ts';
import { ARTIFACT, scriptWriter, type ArtifactWriter, type MadeImage } from '../made-image.ts';
import { makeFileSystem } from '../make-file-system.ts';

/** MiB for a file system with all files, each rounded up and with its inode, and a tenth more; what it needs besides: above all its journal. */
const SIZE_SCRIPT = `
blocks=0
while read -r size; do blocks=$((blocks + (size + 4095) / 4096 + 1)); done < <(find /image -printf '%s\\n')
mebibytes=$((blocks * 4096 * 11 / 10 / 1048576 + $1))
echo $((mebibytes > $2 ? mebibytes : $2))
`;

/** `more` and `least` in MiB. */
const writeFileSystem =
  (type: 'ext4' | 'xfs', { more, least }: { readonly more: number; readonly least: number }): ArtifactWriter =>
  async ({ stage, labels }) => {
    const { identity, definition } = stage.request;
    const step = { failure: `the artifact of type '${type}' could not be made`, code: 'IMAGE_ARTIFACT_FAILED' };
    const words = [String(more), String(least)];
    const { stdout } = await runScript(stage, { ...step, script: SIZE_SCRIPT, words, tools: 'image-tools' });
    await makeFileSystem(stage, type, {
      file: ARTIFACT,
      sizeBytes: Number(stdout) * MIB,
      content: ROOT,
      label: definition.name,
      uuid: uuidFrom(identity, type),
      seed: uuidFrom(identity, 'seed'),
      ...(labels === undefined ? {} : { labels: { root: labels, tree: { point: '/', hidden: [] } } }),
      step,
    });
  };

export const writeExt4 = writeFileSystem('ext4', { more: 24, least: 0 });
export const writeXfs = writeFileSystem('xfs', { more: 128, least: LEAST_XFS_MIB });

/** As large as the files; they can only be read. */
const writePacked =
  (type: 'erofs' | 'squashfs', command: string): ArtifactWriter =>
  async (made, artifact) => {
    const words = [uuidFrom(made.stage.request.identity, type), await placeRootLabels(made, type)];
    await scriptWriter(`image=artifact content=${ROOT} uuid=$1 labels=$2\n${command}`, () => words)(made, artifact);
  };

export const writeSquashfs = writePacked('squashfs', MAKE_SQUASHFS);
export const writeErofs = writePacked('erofs', MAKE_EROFS);

/** The path of the file with labels in the sandbox; empty without labels. */
export async function placeRootLabels({ stage, labels }: MadeImage, type: 'erofs' | 'squashfs'): Promise<string> {
  if (labels === undefined) return '';
  const name = `${type}.labels`;
  await writeFile(
    join(stage.directories.output, name),
    FILE_SYSTEM_MAKERS[type].labels!(labels, { point: '/', hidden: [] }),
  );
  return `${OUTPUT}/${name}`;
}
