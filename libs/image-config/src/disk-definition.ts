/** The disk of an image: what a definition says of its partitions, and where these are mounted. */
import type { FileSystem } from './disk-schema.ts';
import { builtArtifacts, type ImageArtifact, type RequestedArtifact } from './image-artifacts.ts';
import type { DefinitionReader } from './definition-reader.ts';
import type { ImageConfig } from './image-config-schema.ts';
import { listItems, plainValue, valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';
import { toVerityRoot, type VerityRoot } from './verity-root.ts';

/** `esp`: where the firmware looks for a boot loader; `bios-boot`: bare space that holds one. */
export type PartitionRole = 'esp' | 'bios-boot';

export interface PartitionDefinition {
  readonly id: string;
  /** In the table, when that is a GPT; may be empty. */
  readonly name: string;
  /** What is made in it; absent when it stays empty. */
  readonly fileSystem?: FileSystem;
  readonly role?: PartitionRole;
  /** UUID of the type as a GPT has it, lower case; chosen by role and file system when absent. */
  readonly type?: string;
  /** Whether a BIOS starts it: the flag of that name in an MBR. */
  readonly isActive: boolean;
  /** From the start of the disk. */
  readonly startMiB: number;
  /** The first one behind it. */
  readonly endMiB: number;
  readonly mount?: PartitionMount;
  /** How /etc/fstab names it. */
  readonly identifier: 'uuid' | 'partuuid' | 'partlabel';
  /** Files that the partition alone is made into. */
  readonly artifacts: readonly ImageArtifact[];
}

export interface PartitionMount {
  /** Absolute, without a slash at its end but for `/` itself. */
  readonly point: string;
  readonly options: string;
}

export interface DiskDefinition {
  readonly table: 'gpt' | 'mbr';
  readonly sizeMiB: number;
  /** In the order of their numbers. */
  readonly partitions: readonly PartitionDefinition[];
  readonly verity?: VerityRoot;
  /** Files at places that no partition has. */
  readonly rawBinaries?: readonly RawBinary[];
}

export interface RawBinary {
  /** In the workspace. */
  readonly source: string;
  /** Bytes from the start of the disk. */
  readonly offset: number;
}

type DiskConfig = NonNullable<ImageConfig['Disks']>[number];
export type PartitionConfig = NonNullable<DiskConfig['Partitions']>[number];

/** Types by the names that definitions use; UUIDs of the Discoverable Partitions Specification and of UEFI. */
export const PARTITION_TYPES: Readonly<Record<string, string>> = {
  linux: '0fc63daf-8483-4772-8e79-3d69d8477de4',
  esp: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
  xbootldr: 'bc13c2ff-59e6-4262-a352-b275fd6f7172',
  'linux-root-amd64': '4f68bce3-e8cd-4db1-96e7-fbcaf984b709',
  'linux-root-amd64-verity': '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5',
  'linux-swap': '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f',
  'linux-home': '933ac7e1-2eb4-4f13-b844-0e14e2aef915',
  'linux-srv': '3b8f8425-20e0-4f3b-907f-1a25a76f98e8',
  'linux-var': '4d21b016-b534-45c2-a9fb-5c16e091fd2d',
  'linux-tmp': '7ec6f557-3bc5-4aca-b293-16ef5df639d1',
  'linux-lvm': 'e6d6d379-f507-44c2-a23c-238f2a3df928',
  'linux-raid': 'a19d880f-05fc-4d3b-a006-743f0f84911e',
  'linux-luks': 'ca7d7ccb-63ed-4c53-861c-1742536059cc',
  'linux-dm-crypt': '7ffec5c9-2d00-49b7-8941-3ea10a5586b7',
};

const ROLES: Readonly<Record<string, PartitionRole>> = {
  esp: 'esp',
  grub: 'bios-boot',
  bios_grub: 'bios-boot',
  'bios-grub': 'bios-boot',
};

/** MiB at the end of a disk with a GPT that hold the second table. */
const BACKUP_TABLE_MIB = 1;

/** The disk of a valid definition; undefined when it has no partitions, or no size: then an installer makes it. */
export function toDisk(config: ImageConfig, artifacts: readonly RequestedArtifact[]): DiskDefinition | undefined {
  const disk = config.Disks?.[0];
  if (!hasPartitions(disk) || !disk.MaxSize) return undefined;
  const table = disk.PartitionTableType === 'mbr' ? 'mbr' : 'gpt';
  const sizeMiB = disk.MaxSize;
  const partitions = toPartitions(config, {
    endOf: (partition) => endOf(partition, { table, sizeMiB }),
    artifactsOf: (id) => builtArtifacts(artifacts, id),
  });
  const verity = toVerityRoot(config.SystemConfigs[0]!);
  return { table, sizeMiB, partitions, ...(verity === undefined ? {} : { verity }) };
}

/** The files beside a definition that its disk is to have; those of a disk that isn't made go to `problems`. */
export function readRawBinaries(json: LocatedJson, reader: DefinitionReader, problems: ProblemList): RawBinary[] {
  const place = valueAt(json, ['Disks', '0', 'RawBinaries']);
  const config = plainValue(json) as ImageConfig;
  const [disk] = config.Disks ?? [];
  if (listItems(place).length > 0 && (!hasPartitions(disk) || !disk.MaxSize))
    problems.add("'RawBinaries' need a disk with 'Partitions' and 'MaxSize'", place!.location);
  return listItems(place).map((item) => {
    const { BinPath, BlockSize, Seek = 0 } = plainValue(item) as NonNullable<DiskConfig['RawBinaries']>[number];
    const { location } = valueAt(item, ['BinPath'])!;
    return { source: reader.inspectBeside({ path: BinPath, location }, 'file').path, offset: BlockSize * Seek };
  });
}

/** What an installer divides a disk into: the end of a partition is 0 where that of the disk is meant. */
export type InstalledDisk = Pick<DiskDefinition, 'table' | 'partitions'>;

/** Undefined without partitions. */
export function toInstalledDisk(config: ImageConfig): InstalledDisk | undefined {
  const disk = config.Disks?.[0];
  if (!hasPartitions(disk)) return undefined;
  const partitions = toPartitions(config, { endOf: ({ End = 0 }) => End, artifactsOf: () => [] });
  return { table: disk.PartitionTableType === 'mbr' ? 'mbr' : 'gpt', partitions };
}

function hasPartitions(disk: DiskConfig | undefined): disk is DiskConfig {
  return disk?.Partitions !== undefined && disk.Partitions.length > 0;
}

interface PartitionReading {
  readonly endOf: (partition: PartitionConfig) => number;
  readonly artifactsOf: (id: string) => readonly ImageArtifact[];
}

function toPartitions(config: ImageConfig, { endOf, artifactsOf }: PartitionReading): PartitionDefinition[] {
  const settings = new Map((config.SystemConfigs[0]!.PartitionSettings ?? []).map((one) => [one.ID, one]));
  return (config.Disks?.[0]?.Partitions ?? []).map((partition): PartitionDefinition => {
    const { ID, Name, FsType, Flags } = partition;
    const role = roleOf(partition);
    const type = partition.Type ? PARTITION_TYPES[partition.Type] : partition.TypeUUID?.toLowerCase();
    const setting = settings.get(ID);
    return {
      id: ID,
      name: Name ?? '',
      // A boot loader lies in the bare partition, whatever else the definition names.
      ...(FsType && role !== 'bios-boot' ? { fileSystem: FsType } : {}),
      ...(role === undefined ? {} : { role }),
      ...(type ? { type } : {}),
      isActive: Flags?.includes('boot') ?? false,
      startMiB: partition.Start ?? 0,
      endMiB: endOf(partition),
      ...(setting?.MountPoint
        ? { mount: { point: setting.MountPoint, options: setting.MountOptions || 'defaults' } }
        : {}),
      identifier: setting?.MountIdentifier || 'partuuid',
      artifacts: artifactsOf(ID),
    };
  });
}

export function roleOf({ Flags = [] }: PartitionConfig): PartitionRole | undefined {
  return Flags.map((flag) => ROLES[flag]).find((role) => role !== undefined);
}

/** Where a partition ends, which may be the end of the disk. */
export function endOf({ End }: PartitionConfig, disk: Pick<DiskDefinition, 'table' | 'sizeMiB'>): number {
  return End ? End : usableEnd(disk);
}

/** The end of what partitions may use. */
export function usableEnd({ table, sizeMiB }: Pick<DiskDefinition, 'table' | 'sizeMiB'>): number {
  return table === 'gpt' ? sizeMiB - BACKUP_TABLE_MIB : sizeMiB;
}
