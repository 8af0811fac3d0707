/** Makes a file system of a directory, as a file in the output directory. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSystem } from '@kiln/image-config';
import { FILE_SYSTEM_MAKERS } from './file-systems.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT } from './install-packages.ts';
import { makeXfs } from './make-xfs.ts';
import type { NewFileSystem } from './new-file-system.ts';

/** @throws BuildError the code of the request; `PARTITION_TOO_SMALL`, `IMAGE_FILE_IMPOSSIBLE`, `IMAGE_LABEL_IMPOSSIBLE`, `NO_SPACE` */
export async function makeFileSystem(stage: ImageStage, type: FileSystem, request: NewFileSystem): Promise<void> {
  if (type === 'xfs') return makeXfs(stage, request);
  const { file, sizeBytes, content, labels, step } = request;
  const maker = FILE_SYSTEM_MAKERS[type];
  const text = labels === undefined ? undefined : maker.labels?.(labels.root, labels.tree);
  if (text !== undefined) await writeFile(join(stage.directories.output, `${file}.labels`), text);
  const labelFile = text === undefined ? '' : `${OUTPUT}/${file}.labels`;
  const variables = Object.entries({ ...maker.variables(request), labels: labelFile });
  await runScript(stage, {
    ...step,
    script: `
cd ${OUTPUT}
image=${OUTPUT}/${file} content=$1 size=$2
mkdir -p "$content"
truncate --size="$size" "$image"
shift 2
${variables.map(([key], index) => `${key}=\${${index + 1}}`).join('\n')}
${maker.script}`,
    words: [content, String(sizeBytes), ...variables.map(([, value]) => value)],
    tools: 'image-tools',
  });
}
