/** From the description of a disk to sectors and identifiers; the same image has the same ones each time. Pure. */
import { createHash } from 'node:crypto';
import type { Sha256 } from '@kiln/build-identity';
import type { DiskDefinition, PartitionDefinition, VerityRoot } from '@kiln/image-config';

export const SECTOR = 512;
export const MIB = 1024 * 1024;

/** The disk's file in the output directory. */
export const DISK_FILE = 'disk.raw';

/** A root that dm-verity protects: the first mapped device, which the kernel makes before it mounts the root. */
export const VERITY_DEVICE = '/dev/dm-0';

export interface PlannedPartition {
  readonly definition: PartitionDefinition;
  /** From 1; logical ones of an MBR from 5. */
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** As Linux calls it in /dev/disk/by-partuuid, lower case. */
  readonly partUuid: string;
  /** As Linux calls it in /dev/disk/by-uuid. */
  readonly fileSystemUuid: string;
}

export interface DiskPlan {
  readonly table: 'gpt' | 'mbr';
  readonly sizeBytes: number;
  /** UUID of a GPT, eight hexadecimal digits of an MBR. */
  readonly id: string;
  readonly partitions: readonly PlannedPartition[];
  readonly verity?: VerityRoot;
}

/** An MBR has room for so many; what is more lies in an extended one. */
const MOST_PRIMARY = 4;

export function planDisk(disk: DiskDefinition, identity: Sha256): DiskPlan {
  const isGpt = disk.table === 'gpt';
  const id = isGpt ? uuidFrom(identity, 'disk') : hexFrom(identity, 'disk', 8);
  const hasLogical = !isGpt && disk.partitions.length > MOST_PRIMARY;
  const partitions = disk.partitions.map((definition, index): PlannedPartition => {
    const number = hasLogical && index >= MOST_PRIMARY - 1 ? index + 2 : index + 1;
    // A logical one has a table of its own before it.
    const startMiB = definition.startMiB + (hasLogical && number > MOST_PRIMARY ? 1 : 0);
    return {
      definition,
      number,
      startBytes: startMiB * MIB,
      sizeBytes: (definition.endMiB - startMiB) * MIB,
      partUuid: isGpt
        ? uuidFrom(identity, `partition ${definition.id}`)
        : `${id}-${number.toString(16).padStart(2, '0')}`,
      fileSystemUuid: fileSystemUuid(definition, identity),
    };
  });
  const verity = disk.verity === undefined ? {} : { verity: disk.verity };
  return { table: disk.table, sizeBytes: disk.sizeMiB * MIB, id, partitions, ...verity };
}

/** The partition that has a file system at this place of the running system, or the next one above it. */
export function partitionOf(plan: DiskPlan, path: string): PlannedPartition | undefined {
  const isBelow = (point: string) => point === '/' || path === point || path.startsWith(`${point}/`);
  return plan.partitions
    .filter(({ definition: { mount } }) => mount !== undefined && isBelow(mount.point))
    .sort((a, b) => b.definition.mount!.point.length - a.definition.mount!.point.length)[0];
}

/** The file with a partition's content, in the output directory. */
export function partitionFile({ number }: PlannedPartition): string {
  return `partition-${number}.img`;
}

/** What the partition is called in fstab(5). */
export function deviceName({ definition, partUuid, fileSystemUuid: uuid }: PlannedPartition): string {
  const { identifier, name } = definition;
  if (identifier === 'uuid') return `UUID=${uuid}`;
  // A blank ends a field of fstab.
  return identifier === 'partlabel'
    ? `PARTLABEL=${name.replaceAll('\\', '\\134').replaceAll(' ', '\\040')}`
    : `PARTUUID=${partUuid}`;
}

function fileSystemUuid({ id, fileSystem }: PartitionDefinition, identity: Sha256): string {
  const purpose = `file system ${id}`;
  if (fileSystem === undefined || !/^(fat|vfat)/.test(fileSystem)) return uuidFrom(identity, purpose);
  const serial = hexFrom(identity, purpose, 8).toUpperCase();
  return `${serial.slice(0, 4)}-${serial.slice(4)}`;
}

/** A UUID of version 8 (RFC 9562): a digest of the image's identity and of what it is for. */
export function uuidFrom(identity: Sha256, purpose: string): string {
  const digits = hexFrom(identity, purpose, 32);
  const variant = ((parseInt(digits[16]!, 16) & 0x3) | 0x8).toString(16);
  const all = `${digits.slice(0, 12)}8${digits.slice(13, 16)}${variant}${digits.slice(17)}`;
  return [all.slice(0, 8), all.slice(8, 12), all.slice(12, 16), all.slice(16, 20), all.slice(20)].join('-');
}

export function hexFrom(identity: Sha256, purpose: string, digits: number): string {
  return createHash('sha256').update(`${identity}\0${purpose}`).digest('hex').slice(0, digits);
}
