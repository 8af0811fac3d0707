/** Makes an XFS file system of a directory: most of it with mkfs.xfs, the rest with xfs_db; equal files give equal bytes. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT } from './install-packages.ts';
import type { NewFileSystem } from './new-file-system.ts';
import { labelledFiles } from './selinux-attributes.ts';
import { LIST_INODES, parseInodes, XFS_CHANGE, xfsCommands } from './xfs-commands.ts';
import { impossibleFile, parseXfsScan, planXfs, XFS_SCAN_FORMAT } from './xfs-tree.ts';

/** Argument: the directory, or what becomes an empty one. ls marks files with access control lists, which mkfs.xfs would write as something else. */
const SCAN_SCRIPT = `
mkdir "$work"
if [ ! -e "$1" ]; then mkdir "$1"; touch --date="@$SOURCE_DATE_EPOCH" "$1"; fi
find "$1" -printf '${XFS_SCAN_FORMAT}' > "$work/scan"
find "$1" -print0 | xargs -0 ls -nd --zero --time-style=long-iso -- > "$work/listed"
grep --null-data --text '^..........[+]' "$work/listed" > "$work/controlled" || [ $? -eq 1 ]
`;

/** Features are stated, so that no configuration of mkfs.xfs decides: those of Linux 6.6. GRUB 2.12 reads all of them. Larger sectors fit any disk, and dm-verity. */
const FEATURES = [
  ...['-m', 'crc=1,finobt=1,rmapbt=1,reflink=1,inobtcount=1,bigtime=1,metadir=0'],
  ...['-i', 'size=512,sparse=1,nrext64=1,exchange=0', '-n', 'parent=0', '-b', 'size=4096', '-s', 'size=4096'],
  // Nothing of the machine that makes it: neither its processors nor its disks.
  ...['-d', 'noalign,concurrency=0', '-l', 'concurrency=0', '-K'],
].join(' ');

/** The programs get the image's time, and for generations of inodes what follows from $seed. */
const FIXED = `
clock=$(find /usr/lib -name libfaketime.so.1)
fixed() {
  LD_PRELOAD=$clock FAKETIME=$(date --date="@$SOURCE_DATE_EPOCH" '+%Y-%m-%d %H:%M:%S') FAKERANDOM_SEED="0x$seed" "$@"
}
`;

/** Arguments: size, label, UUID, seed. Then the paths of the files to copy, from the directory. */
const MAKE_SCRIPT = `${FIXED}
content=$1 size=$2 label=$3 uuid=$4 seed=$5
truncate --size="$size" "$image"
mkdir "$work/copies"
number=0
while IFS= read -r -d '' path; do
  cp --sparse=never --preserve=xattr "$content/$path" "$work/copies/$number"
  number=$((number + 1))
done < "$work/copied"
fixed mkfs.xfs -q ${FEATURES} -m "uuid=$uuid" -L "$label" -p "$work/protofile,slashes_are_spaces=1" "$image"
xfs_db ${LIST_INODES} "$image" > "$work/inodes"
`;

/** Argument: seed. */
const COMPLETE_SCRIPT = `${FIXED}
seed=$1
fixed xfs_db -x -c "source $work/commands" "$image" > "$work/said" 2>&1
if grep --text --invert-match --extended-regexp '${XFS_CHANGE}' "$work/said" >&2; then exit 1; fi
xfs_repair -n "$image" > "$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
rm -r "$work"
`;

/** @throws BuildError the code of the request; `PARTITION_TOO_SMALL`, `IMAGE_FILE_IMPOSSIBLE`, `NO_SPACE` */
export async function makeXfs(stage: ImageStage, request: NewFileSystem): Promise<void> {
  const { file, sizeBytes, content, label, uuid, labels, step } = request;
  const seed = request.seed.replaceAll('-', '').slice(0, 16);
  const work = `${file}.work`;
  const at = (name: string) => join(stage.directories.output, work, name);
  const run = (script: string, words: readonly string[]) =>
    runScript(stage, {
      ...step,
      script: `work=${OUTPUT}/${work} image=${OUTPUT}/${file}\n${script}`,
      words,
      tools: 'image-tools',
    });
  await run(SCAN_SCRIPT, [content]);
  const [controlled] = (await readFile(at('controlled'), 'latin1')).split('\0');
  if (controlled !== '') {
    const path = controlled!.slice(controlled!.indexOf(content) + content.length).replace(/^\//, '');
    throw impossibleFile(path, 'it has an access control list');
  }
  const files = parseXfsScan(await readFile(at('scan'), 'latin1'));
  const plan = planXfs(files, { content, copies: `${OUTPUT}/${work}/copies` });
  await writeFile(at('protofile'), plan.protofile, 'latin1');
  await writeFile(at('copied'), plan.copied.map((path) => `${path}\0`).join(''), 'latin1');
  await run(MAKE_SCRIPT, [content, String(sizeBytes), label.replaceAll(/[^!-~]/g, '_').slice(0, 12), uuid, seed]);
  const inodes = parseInodes(await readFile(at('inodes'), 'latin1'));
  const labelled = labels === undefined ? [] : labelledFiles(labels.root, labels.tree);
  await writeFile(at('commands'), xfsCommands(plan, inodes, labelled), 'latin1');
  await run(COMPLETE_SCRIPT, [seed]);
}
