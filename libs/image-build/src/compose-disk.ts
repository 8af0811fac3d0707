/** A whole disk as a file: partition table, file systems, boot loader; without privileges, loop devices or mounts. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inParallel } from '@kiln/host';
import { biosLoaderModules, BIOS_MODULES, grubStart } from './boot-files.ts';
import { atPlace } from './definition-place.ts';
import { DISK_FILE, MIB, partitionFile, SECTOR, uuidFrom, type DiskPlan, type PlannedPartition } from './disk-plan.ts';
import { hasReadOnlyRoot } from './file-systems.ts';
import { biosLoader } from './grub-bios.ts';
import type { ToolMount } from './image-ports.ts';
import { runScript, type ImageStage, type JoinedScript } from './image-stage.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import { makeFileSystem } from './make-file-system.ts';
import { partitionTable } from './partition-table.ts';
import { writeRawBinaries } from './raw-binaries.ts';
import type { RootLabels } from './selinux-labels.ts';
import { placeUnifiedKernel } from './unified-kernel.ts';
import { makeHashTree } from './verity-root.ts';

/** @throws BuildError `IMAGE_BINARY_MISPLACED`, `IMAGE_FILE_SYSTEM_FAILED`, `IMAGE_DISK_FAILED`, `IMAGE_LOADER_FAILED`, `IMAGE_LOADER_TOO_LARGE`, `PARTITION_TOO_SMALL` */
export async function composeDisk(stage: ImageStage, plan: DiskPlan, labels: RootLabels | undefined): Promise<void> {
  const filled = plan.partitions.filter(({ definition }) => definition.fileSystem !== undefined);
  await inParallel(filled, filled.length, (partition) => fillPartition(stage, plan, { partition, labels }));
  const tree = await makeHashTree(stage, plan);
  if (stage.request.definition.boot.unifiedKernel !== undefined) await placeUnifiedKernel(stage, plan, tree);
  const output = stage.directories.output;
  await writeFile(join(output, 'table'), partitionTable(plan));
  const written = tree === undefined ? filled : [...filled, tree.partition];
  const parts = written.flatMap((one) => [partitionFile(one), String(one.startBytes), String(one.sizeBytes)]);
  await runScript(stage, {
    script: ASSEMBLE_SCRIPT,
    words: [String(plan.sizeBytes), ...parts],
    failure: 'the disk could not be put together',
    code: 'IMAGE_DISK_FAILED',
    tools: 'image-tools',
  });
  if (stage.request.definition.boot.type === 'legacy') await installBiosLoader(stage, plan);
  await writeRawBinaries(stage, plan);
}

/** Arguments: size in bytes, then three words for each file: its name, place and size. Holes are left out and not even read. */
const ASSEMBLE_SCRIPT = `
cd ${OUTPUT}
truncate --size="$1" ${DISK_FILE}
sfdisk --quiet --no-reread --no-tell-kernel ${DISK_FILE} < table
shift
while [ $# -gt 0 ]; do
  place=driver=raw,offset="$2",size="$3",file.driver=file,file.filename=${DISK_FILE}
  qemu-img convert -n --target-is-zero --target-image-opts -f raw "$1" "$place"
  shift 3
done
`;

/** What is mounted on lower directories is not part of it: empty directories hide it. */
async function fillPartition(
  stage: ImageStage,
  plan: DiskPlan,
  { partition, labels }: { readonly partition: PlannedPartition; readonly labels: RootLabels | undefined },
): Promise<void> {
  const { definition, number, sizeBytes, fileSystemUuid } = partition;
  const { id, fileSystem, mount, name } = definition;
  const point = mount?.point;
  const isLabelled = labels !== undefined && point !== undefined;
  const request = {
    file: partitionFile(partition),
    sizeBytes,
    content: point === undefined ? `${OUTPUT}/empty-${number}` : `${ROOT}${point}`,
    label: name === '' ? id : name,
    uuid: fileSystemUuid,
    seed: uuidFrom(stage.request.identity, `seed ${id}`),
    ...(isLabelled ? { labels: { root: labels, tree: { point, hidden: pointsBelow(plan, point) } } } : {}),
    step: {
      tooSmall: `the partition '${id}' has ${sizeBytes / MIB} MiB, which is too small for what it holds`,
      failure: `the file system of the partition '${id}' could not be made`,
      code: 'IMAGE_FILE_SYSTEM_FAILED',
      mounts: hidingMounts(stage, plan, partition),
    },
  };
  await atPlace(stage.request.definition, `partition ${id}`, () => makeFileSystem(stage, fileSystem!, request));
}

/** Mount points of other partitions below one, without those that are hidden with another. */
function pointsBelow(plan: DiskPlan, point: string): string[] {
  const inside = plan.partitions
    .map(({ definition: { mount } }) => mount?.point ?? '')
    .filter((other) => other !== '' && other !== point && (point === '/' || other.startsWith(`${point}/`)));
  return inside.filter((one) => !inside.some((other) => one !== other && one.startsWith(`${other}/`)));
}

/** In the output directory: empty directories for each partition, by the paths that they hide in it. */
const HIDING = 'hiding';

/** Empty directories, alike outside, over the places in a partition that belong to other partitions. */
function hidingMounts(
  { directories }: ImageStage,
  plan: DiskPlan,
  { number, definition }: PlannedPartition,
): ToolMount[] {
  return (definition.mount === undefined ? [] : pointsBelow(plan, definition.mount.point)).map((point) => ({
    source: join(directories.output, HIDING, String(number), point),
    target: `${ROOT}${point}`,
    writable: false,
  }));
}

/** Arguments: pairs of a partition's number and a path in the root. What is in a directory changes its time, so times come last. */
const HIDE_SCRIPT = `
places=()
while [ $# -gt 0 ]; do
  place=${OUTPUT}/${HIDING}/$1$2
  mkdir -p "$place"
  chown --reference="${ROOT}$2" "$place"
  chmod --reference="${ROOT}$2" "$place"
  places=("$2" "$place" "\${places[@]}")
  shift 2
done
set -- "\${places[@]}"
while [ $# -gt 0 ]; do
  touch --reference="${ROOT}$1" "$2"
  shift 2
done
`;

/**
 * Makes the directories that hide mount points, when the root is settled. In a root that can't be written to, services that start before /var is
 * there need its /var/tmp for directories of their own.
 */
export function hidingScript({ request }: ImageStage, plan: DiskPlan): JoinedScript {
  const needsTemporary = hasReadOnlyRoot(request.definition);
  const words = plan.partitions.flatMap(({ number, definition: { mount } }) => {
    const points = mount === undefined ? [] : pointsBelow(plan, mount.point);
    const all = needsTemporary && points.includes('/var') ? [...points, '/var/tmp'] : points;
    return all.flatMap((point) => [String(number), point]);
  });
  return { script: HIDE_SCRIPT, words, failure: 'mount points could not be made', code: 'IMAGE_FILE_SYSTEM_FAILED' };
}

/** Arguments: modules of GRUB's image; the program and its modules are those of the image. */
const LOADER_SCRIPT = `
/usr/bin/grub2-mkimage -d ${BIOS_MODULES} -O i386-pc -p /boot/grub2 -c ${OUTPUT}/start.cfg -o ${OUTPUT}/core.img "$@"
/usr/bin/cp ${BIOS_MODULES}/boot.img ${OUTPUT}/boot.img
`;

/** Sectors between the MBR and the first partition. */
const GAP = { sector: 1, sectors: 2047 };

async function installBiosLoader(stage: ImageStage, plan: DiskPlan): Promise<void> {
  const { output } = stage.directories;
  await writeFile(join(output, 'start.cfg'), grubStart(plan));
  const step = { failure: 'the boot loader could not be installed', code: 'IMAGE_LOADER_FAILED' } as const;
  await runScript(stage, { ...step, script: LOADER_SCRIPT, words: biosLoaderModules(plan), tools: 'image' });
  const own = plan.partitions.find(({ definition }) => definition.role === 'bios-boot');
  const room = own === undefined ? GAP : { sector: own.startBytes / SECTOR, sectors: own.sizeBytes / SECTOR };
  const [boot, core] = await Promise.all(['boot.img', 'core.img'].map((name) => readFile(join(output, name))));
  const loader = biosLoader({ boot: boot!, core: core! }, room);
  await patchFile(stage, DISK_FILE, [
    { offset: 0, bytes: loader.bootCode },
    { offset: room.sector * SECTOR, bytes: loader.core },
  ]);
}

/** Bytes to write into a file at a place. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Changes a file of the output directory, which may belong to another user than we are. */
export async function patchFile(stage: ImageStage, file: string, patches: readonly Patch[]): Promise<void> {
  const words: string[] = [];
  for (const [index, { offset, bytes }] of patches.entries()) {
    const name = `patch-${index}`;
    await writeFile(join(stage.directories.output, name), bytes);
    words.push(name, String(offset));
  }
  await runScript(stage, {
    script: `
cd ${OUTPUT}
file=$1
shift
while [ $# -gt 0 ]; do
  dd if="$1" of="$file" bs=64K oflag=seek_bytes seek="$2" conv=notrunc status=none
  shift 2
done
`,
    words: [file, ...words],
    failure: `${file} could not be completed`,
    code: 'IMAGE_DISK_FAILED',
    tools: 'image-tools',
  });
}
