/** The root's files as one file system. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uuidFrom } from '../disk-plan.ts';
import { FILE_SYSTEM_MAKERS, MAKE_EROFS, MAKE_SQUASHFS } from '../file-systems.ts';
import { labelCommands } from '../selinux-attributes.ts';
import { scriptWriter, type ArtifactWriter } from '../made-image.ts';

/** As large as the files need, a tenth more, and room for the journal. */
const EXT4_SIZE = `
blocks=0
while read -r size; do blocks=$((blocks + (size + 4095) / 4096 + 1)); done < <(find /image -printf '%s\\n')
truncate --size="$((blocks * 4096 * 11 / 10 / 1048576 + 24))M" artifact
`;

export const writeExt4: ArtifactWriter = async (made, artifact) => {
  const { request, directories } = made.stage;
  const { identity, definition } = request;
  const maker = FILE_SYSTEM_MAKERS.ext4!;
  const uuid = uuidFrom(identity, 'ext4');
  const labels = made.labels === undefined ? '' : 'labels-artifact';
  if (made.labels !== undefined)
    await writeFile(join(directories.output, labels), labelCommands(made.labels, { point: '/', hidden: [] }));
  const seed = uuidFrom(identity, 'seed');
  const variables = Object.entries({ ...maker.variables({ label: definition.name, uuid, seed }), labels });
  const names = variables.map(([key], index) => `${key}=\${${index + 1}}`).join('\n');
  const script = `${EXT4_SIZE}\nimage=artifact content=/image\n${names}\n${maker.script}`;
  return scriptWriter(script, () => variables.map(([, value]) => value))(made, artifact);
};

export const writeSquashfs = scriptWriter(`image=artifact content=/image\n${MAKE_SQUASHFS}`);

export const writeErofs = scriptWriter(`image=artifact content=/image uuid=$1\n${MAKE_EROFS}`, ({ stage }) => [
  uuidFrom(stage.request.identity, 'erofs'),
]);
