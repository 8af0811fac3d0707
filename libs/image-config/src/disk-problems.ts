/** What is well-formed in the description of a disk but can't be made. */
import type { Diagnostic } from '@kiln/diagnostics';
import { nearestWord } from '@kiln/diagnostics';
import {
  endOf,
  PARTITION_TYPES,
  roleOf,
  usableEnd,
  type DiskDefinition,
  type PartitionConfig,
} from './disk-definition.ts';
import type { ImageConfig, SystemConfig } from './image-config-schema.ts';
import { ofWholeDisk, type RequestedArtifact } from './image-artifacts.ts';
import { checkMounts } from './mount-problems.ts';
import { checkTable } from './partition-table-problems.ts';
import { LEAST_XFS_MIB, PARTITION_ARTIFACTS, type FileSystem } from './disk-schema.ts';
import { listItems, valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';
import { checkVerityRoot, toVerityRoot } from './verity-root.ts';

export interface DiskToCheck {
  readonly json: LocatedJson;
  readonly config: ImageConfig;
  readonly artifacts: readonly RequestedArtifact[];
}

/** Notes all problems of the first disk and of how the first system uses it. */
export function checkDisk({ json, config, artifacts }: DiskToCheck, problems: ProblemList): void {
  const disk = config.Disks?.[0];
  const partitions = disk?.Partitions ?? [];
  const use = { json, system: config.SystemConfigs[0]!, partitions, problems };
  checkUnifiedKernel({ ...use, artifacts });
  if (disk === undefined || partitions.length === 0) {
    for (const { kind, place } of ofWholeDisk(artifacts)) {
      const { location } = valueAt(place, ['Type']) ?? place;
      problems.add(`an artifact of type '${kind}' is made from a disk, and this one has no partitions`, location);
    }
    return checkBoot(use);
  }
  const place = valueAt(json, ['Disks', '0'])!;
  // An installer asks the disk itself how large it is.
  const isInstalled = disk.TargetDisk?.Type === 'path';
  if (!disk.PartitionTableType && !isInstalled)
    problems.add("a disk with partitions needs 'PartitionTableType'", place.location, "write 'gpt' or 'mbr'");
  // So does one of a system that is only ever installed.
  const isMade = artifacts.some(({ kind }) => kind !== 'tar.zst');
  if (!disk.MaxSize && !isInstalled && isMade)
    problems.add("a disk with partitions needs 'MaxSize', its size in MiB", place.location);
  const size: DiskSize = {
    table: disk.PartitionTableType === 'mbr' ? 'mbr' : 'gpt',
    sizeMiB: disk.MaxSize || Number.MAX_SAFE_INTEGER,
  };
  const places = listItems(valueAt(place, ['Partitions']));
  partitions.forEach((partition, index) => {
    checkPartition(partition, { place: places[index]!, before: partitions.slice(0, index), size, problems });
  });
  checkTable({ json, partitions, artifacts, size, problems });
  checkPartitionArtifacts({ ...use, artifacts });
  checkMounts({ ...use, size });
  checkBoot({ ...use, size });
  const sizeMiB = (one: PartitionConfig) => endOf(one, size) - (one.Start ?? 0);
  checkVerityRoot({ ...use, place: valueAt(json, ['SystemConfigs', '0'])!, sizeMiB });
}

/** What could be meant but isn't built. */
export function unsupportedDisk(json: LocatedJson): Diagnostic[] {
  const target = valueAt(json, ['Disks', '0', 'TargetDisk']);
  const isTargeted = target?.kind === 'object' && target.members.size > 0;
  if (isTargeted && valueAt(json, ['SystemConfigs', '0', 'Installer']) === undefined) {
    const message = "'TargetDisk' is only built with 'Installer'";
    return [{ severity: 'error', code: 'IMAGE_FEATURE_UNSUPPORTED', message, location: target.location }];
  }
  return [];
}

export type DiskSize = Pick<DiskDefinition, 'table' | 'sizeMiB'>;

/** GRUB has no module for them, or not in its image. */
const UNREADABLE_FOR_GRUB: ReadonlySet<string> = new Set<FileSystem>(['erofs', 'squashfs']);

interface PartitionPlace {
  readonly place: LocatedJson;
  readonly before: readonly PartitionConfig[];
  readonly size: DiskSize;
  readonly problems: ProblemList;
}

function checkPartition(partition: PartitionConfig, { place, before, size, problems }: PartitionPlace): void {
  const { ID, Start: start = 0 } = partition;
  const at = (key: string) => valueAt(place, [key]) ?? place;
  const [end, last] = [endOf(partition, size), usableEnd(size)];
  const report = (key: string, message: string, hint?: string) =>
    problems.add(`partition '${ID}' ${message}`, at(key).location, hint);
  if (before.some((one) => one.ID === ID)) report('ID', 'is there twice');
  if (start < 1)
    report('Start', 'starts in the first MiB, which holds the partition table', "let 'Start' be at least 1");
  else if (end <= start) report('End', `ends at ${end} MiB, not after its start at ${start} MiB`);
  if (end > last) {
    const kept = size.table === 'gpt' ? '; the last MiB holds the second partition table' : '';
    report('End', `ends at ${end} MiB, but partitions may use the disk up to ${last} MiB${kept}`, "raise 'MaxSize'");
  }
  if (partition.FsType === 'xfs' && end - start < LEAST_XFS_MIB)
    report('FsType', `has ${end - start} MiB, and xfs needs at least ${LEAST_XFS_MIB}`, "use ext4, or raise 'End'");
  const other = before.find((one) => start < endOf(one, size) && (one.Start ?? 0) < end);
  if (other !== undefined && other.ID !== ID) {
    const range = `${other.Start ?? 0} to ${endOf(other, size)} MiB`;
    report('Start', `(${start} to ${end} MiB) overlaps '${other.ID}' (${range})`);
  }
  if (partition.Type && partition.TypeUUID) report('TypeUUID', "has both 'Type' and 'TypeUUID'", 'remove one of them');
  if (partition.Type && !Object.hasOwn(PARTITION_TYPES, partition.Type)) {
    const nearest = nearestWord(partition.Type, Object.keys(PARTITION_TYPES));
    const known = `use one of: ${Object.keys(PARTITION_TYPES).join(', ')}`;
    report('Type', `has the unknown type '${partition.Type}'`, nearest === undefined ? known : `write '${nearest}'`);
  }
}

export interface DiskUse {
  readonly json: LocatedJson;
  readonly system: SystemConfig;
  readonly partitions: readonly PartitionConfig[];
  readonly size?: DiskSize;
  readonly problems: ProblemList;
}

/** A partition is made into a file as it is: there must be something in it, and it is what it is. */
function checkPartitionArtifacts({
  system,
  partitions,
  artifacts,
  problems,
}: DiskUse & Pick<DiskToCheck, 'artifacts'>): void {
  const tree = toVerityRoot(system)?.hashPartition;
  for (const { kind, partition: id, place } of artifacts) {
    const partition = partitions.find(({ ID }) => ID === id);
    if (partition === undefined || id === tree) continue;
    const { location } = valueAt(place, ['Type']) ?? place;
    const [type] = kind.split('.');
    const found = roleOf(partition) === 'bios-boot' ? '' : (partition.FsType ?? '');
    if (found === '') problems.add(`the partition '${id}' has no file system to make an artifact of`, location);
    else if (type !== 'raw' && type !== found && Object.hasOwn(PARTITION_ARTIFACTS, type!))
      problems.add(`the partition '${id}' is of type ${found}, not ${type}`, location, "write 'raw'");
  }
}

/** What must be there so that the image starts. */
function checkBoot({ json, system, partitions, size, problems }: DiskUse): void {
  const type = system.BootType || 'none';
  const mounted = new Map((system.PartitionSettings ?? []).map(({ ID, MountPoint }) => [ID, MountPoint ?? '']));
  const { location } = valueAt(json, ['SystemConfigs', '0', 'BootType']) ?? json;
  if (partitions.length > 0 && ![...mounted.values()].includes('/'))
    problems.add('no partition is mounted on /', location, "give one the mount point '/' in 'PartitionSettings'");
  if (type === 'none') return;
  if (partitions.length === 0) return problems.add(`the boot type '${type}' needs a disk with partitions`, location);
  if (!system.KernelOptions?.['default'])
    problems.add('an image that boots needs a kernel', location, "name its package in 'KernelOptions' as 'default'");
  const boot = partitions.find((one) => roleOf(one) === (type === 'efi' ? 'esp' : 'bios-boot'));
  if (type === 'efi' && (boot === undefined || !/^(fat|vfat)/.test(boot.FsType ?? '') || !mounted.get(boot.ID))) {
    const message = "UEFI needs a partition with the flag 'esp' and a FAT file system that is mounted";
    problems.add(message, location, 'mount it on /boot/efi');
  }
  if (type === 'legacy' && size?.table === 'gpt' && boot === undefined)
    problems.add("a BIOS needs a partition with the flag 'bios_grub' on a disk with a GPT", location);
  const kernels =
    partitions.find(({ ID }) => mounted.get(ID) === '/boot') ?? partitions.find(({ ID }) => mounted.get(ID) === '/');
  // A protected root needs one in any case.
  const hasLoader = system.UnifiedKernelImage !== true && toVerityRoot(system) === undefined;
  if (hasLoader && UNREADABLE_FOR_GRUB.has(kernels?.FsType ?? '')) {
    const message = `the boot loader can't read the kernel from '${kernels!.ID}', which is of type ${kernels!.FsType}`;
    problems.add(message, location, "give '/boot' a partition of its own, of type ext4, or use a 'UnifiedKernelImage'");
  }
}

/** A unified kernel image is something for UEFI, and only it can be signed. */
function checkUnifiedKernel({
  json,
  system,
  partitions,
  artifacts,
  problems,
}: DiskUse & Pick<DiskToCheck, 'artifacts'>): void {
  const isUnified = system.UnifiedKernelImage === true;
  const locationOf = (member: string) => (valueAt(json, ['SystemConfigs', '0', member]) ?? json).location;
  if (isUnified && system.BootType !== 'efi')
    problems.add("'UnifiedKernelImage' needs the boot type 'efi'", locationOf('UnifiedKernelImage'));
  if (system.SecureBoot === true && !isUnified)
    problems.add(
      "'SecureBoot' needs a 'UnifiedKernelImage'",
      locationOf('SecureBoot'),
      "add 'UnifiedKernelImage': true",
    );
  for (const { kind, partition, place } of artifacts) {
    const role = partitions.filter(({ ID }) => ID === partition).map(roleOf)[0];
    if (system.SecureBoot === true && role === 'esp')
      problems.add(`an artifact of the partition '${partition}' would not be signed`, place.location, 'make a disk');
    if (!isUnified && kind.split('.')[0] === 'uki')
      problems.add(
        "an artifact of type 'uki' needs a 'UnifiedKernelImage'",
        (valueAt(place, ['Type']) ?? place).location,
      );
  }
}
