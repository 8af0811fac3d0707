/** Files at places of a disk that no partition has: boot loaders of boards, which their processors look for there. */
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { DISK_FILE, MIB, SECTOR, type DiskPlan } from './disk-plan.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT } from './install-packages.ts';
import { placeLocalFile } from './local-files.ts';

/** Bytes of a disk, with a name for messages. */
interface Region {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Sectors of a GPT at the beginning, with the one of an MBR before it, and at the end (UEFI, 5.3). */
const GPT_SECTORS = { first: 34, last: 33 };

/** Where the boot loader of a disk with an MBR lies. */
const LOADER_GAP = { start: SECTOR, end: 2048 * SECTOR };

/** Arguments: pairs of a file and a place in bytes. */
const WRITE_SCRIPT = `
cd ${OUTPUT}
while [ $# -gt 0 ]; do
  dd if="$1" of=${DISK_FILE} bs=64K oflag=seek_bytes seek="$2" conv=notrunc status=none
  shift 2
done
`;

/** Writes them into the finished disk. @throws BuildError `IMAGE_BINARY_MISPLACED` when something else is there, `IMAGE_DISK_FAILED` */
export async function writeRawBinaries(stage: ImageStage, plan: DiskPlan): Promise<void> {
  const { definition } = stage.request;
  const taken = takenRegions(plan, definition.boot.type === 'legacy');
  const words: string[] = [];
  for (const [index, { source, offset }] of (definition.disk?.rawBinaries ?? []).entries()) {
    const copy = join(stage.directories.output, `raw-binary-${index}`);
    await placeLocalFile(stage.request, source, copy);
    // It is read by another user.
    await chmod(copy, 0o644);
    const region = { name: `'${source}'`, start: offset, end: offset + (await stat(copy)).size };
    const other = taken.find((one) => one.start < region.end && region.start < one.end);
    if (other !== undefined) throw misplaced(stage, region, `which are those of ${other.name}`);
    if (region.end > plan.sizeBytes) throw misplaced(stage, region, `and the disk has ${plan.sizeBytes}`);
    taken.push(region);
    words.push(`raw-binary-${index}`, String(offset));
  }
  if (words.length === 0) return;
  const failure = 'the binaries could not be written';
  await runScript(stage, { script: WRITE_SCRIPT, words, failure, code: 'IMAGE_DISK_FAILED', tools: 'image-tools' });
}

/** All that the disk has already; partitions without content are free. */
function takenRegions({ table, sizeBytes, partitions, verity }: DiskPlan, hasBiosLoader: boolean): Region[] {
  const regions: Region[] = [{ name: 'the partition table', start: 0, end: SECTOR }];
  if (table === 'gpt') {
    regions.push({ name: 'the partition table', start: 0, end: GPT_SECTORS.first * SECTOR });
    regions.push({
      name: 'the second partition table',
      start: sizeBytes - GPT_SECTORS.last * SECTOR,
      end: sizeBytes,
    });
  }
  const loader = partitions.find(({ definition: { role } }) => role === 'bios-boot');
  if (hasBiosLoader && loader === undefined) regions.push({ name: 'the boot loader', ...LOADER_GAP });
  for (const partition of partitions) {
    const { definition, number, startBytes, sizeBytes: size } = partition;
    const isFilled =
      definition.fileSystem !== undefined ||
      definition.id === verity?.hashPartition ||
      (hasBiosLoader && partition === loader);
    // A logical one has a table of its own before it.
    const tableBytes = table === 'mbr' && number > 4 ? MIB : 0;
    const end = startBytes + (isFilled ? size : 0);
    if (isFilled || tableBytes > 0)
      regions.push({ name: `the partition '${definition.id}'`, start: startBytes - tableBytes, end });
  }
  return regions;
}

function misplaced({ request }: ImageStage, { name, start, end }: Region, why: string): BuildError {
  const { definition } = request;
  const message = `${definition.name}: ${name} would have the bytes ${start} to ${end} of the disk, ${why}`;
  return new BuildError('IMAGE_BINARY_MISPLACED', message, {
    location: { file: definition.file, line: 1 },
    hint: "let 'Seek' times 'BlockSize' be a place that is free, or move the partition",
  });
}
