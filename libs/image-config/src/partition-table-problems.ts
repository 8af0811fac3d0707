/** What a partition table, or a form of disks, has no room for. */
import type { PartitionConfig } from './disk-definition.ts';
import type { DiskSize, DiskToCheck } from './disk-problems.ts';
import { listItems, valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';

const MIB_OF_TIB = 1024 * 1024;
/** Sectors of an MBR are numbered by 32 bits. */
const MOST_MBR_MIB = 2 * MIB_OF_TIB;
/** What Hyper-V and Azure take. */
const MOST_VHD_MIB = 2040 * 1024;
/** Entries of a GPT as all programs make it. */
const MOST_GPT_PARTITIONS = 128;
/** From the fourth on they lie in an extended partition, when an MBR has more. */
const MOST_MBR_PARTITIONS = 4;

export interface TableToCheck extends Pick<DiskToCheck, 'json' | 'artifacts'> {
  readonly partitions: readonly PartitionConfig[];
  readonly size: DiskSize;
  readonly problems: ProblemList;
}

/** Notes all problems of the first disk's table; single partitions were looked at. */
export function checkTable({ json, partitions, artifacts, size, problems }: TableToCheck): void {
  const disk = valueAt(json, ['Disks', '0'])!;
  const maxSize = valueAt(disk, ['MaxSize']);
  if (maxSize !== undefined) {
    const vhd = artifacts.find(({ kind, partition }) => partition === undefined && /^vhd(-dynamic)?(\.|$)/.test(kind));
    if (size.table === 'mbr' && size.sizeMiB > MOST_MBR_MIB)
      problems.add(`an MBR reaches up to ${MOST_MBR_MIB} MiB`, maxSize.location, "use 'gpt', or a smaller 'MaxSize'");
    if (vhd !== undefined && size.sizeMiB > MOST_VHD_MIB)
      problems.add(
        `a VHD has at most ${MOST_VHD_MIB} MiB`,
        maxSize.location,
        "make a 'vhdx', or use a smaller 'MaxSize'",
      );
  }
  const places = listItems(valueAt(disk, ['Partitions']));
  if (size.table === 'gpt' && partitions.length > MOST_GPT_PARTITIONS)
    problems.add(`a GPT has at most ${MOST_GPT_PARTITIONS} partitions`, places[MOST_GPT_PARTITIONS]!.location);
  if (size.table === 'mbr') checkMbr(partitions, places, problems);
}

function checkMbr(partitions: readonly PartitionConfig[], places: readonly LocatedJson[], problems: ProblemList): void {
  const report = (index: number, member: keyof PartitionConfig, message: string, hint?: string) => {
    const place = places[index]!;
    problems.add(`partition '${partitions[index]!.ID}' ${message}`, (valueAt(place, [member]) ?? place).location, hint);
  };
  partitions.forEach(({ Type, TypeUUID }, index) => {
    if (Type || TypeUUID) report(index, Type ? 'Type' : 'TypeUUID', 'has a type that only a GPT knows', 'leave it out');
  });
  if (partitions.length <= MOST_MBR_PARTITIONS) return;
  const first = MOST_MBR_PARTITIONS - 1;
  const extended = Math.min(...partitions.slice(first).map(({ Start = 0 }) => Start));
  partitions.forEach(({ Start = 0, End = 0 }, index) => {
    const inside = `the extended partition, which begins at ${extended} MiB and has all from the fourth on`;
    if (index < first && Start >= extended)
      report(index, 'Start', `lies in ${inside}`, 'put the first three before the others');
    if (index >= first && End === Start + 1)
      report(index, 'End', `has no room: the first MiB is a table's in ${inside}`, "raise its 'End'");
  });
}
