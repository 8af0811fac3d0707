/** The volume of a NoCloud seed. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { placeLocalFile } from '../local-files.ts';
import { scriptWriter, type ArtifactWriter } from '../made-image.ts';

/** Arguments: pairs of a file and its name in the volume. Names with small letters are kept by Rock Ridge and Joliet, of which readers understand one or the other. */
const SEED_SCRIPT = `
mkdir seed
while [ $# -gt 0 ]; do
  cp --no-preserve=all "$1" "seed/$2"
  chmod 0644 "seed/$2"
  shift 2
done
find seed -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
date=$(date --utc --date="@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)
xorriso -as mkisofs -quiet -r -J -V cidata --modification-date="$date" --set_all_file_dates "$date" -o artifact seed
rm -r seed
`;

export const writeSeed: ArtifactWriter = async (made, artifact) => {
  const { request, directories } = made.stage;
  const words: string[] = [];
  for (const [index, [name, source]] of Object.entries(request.definition.seed!.files).entries()) {
    const copy = `seed-${index}`;
    await placeLocalFile(request, source, join(directories.output, copy));
    // It is read by another user.
    await chmod(join(directories.output, copy), 0o644);
    words.push(copy, name);
  }
  await scriptWriter(SEED_SCRIPT, () => words)(made, artifact);
};
