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
import { LEAST_XFS_MIB } from './disk-schema.ts';
import { listItems, valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';
import { checkVerityRoot } from './verity-root.ts';

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
  checkSettings({ ...use, size });
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

type DiskSize = Pick<DiskDefinition, 'table' | 'sizeMiB'>;

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
  if (partition.Type && PARTITION_TYPES[partition.Type] === undefined) {
    const nearest = nearestWord(partition.Type, Object.keys(PARTITION_TYPES));
    const known = `use one of: ${Object.keys(PARTITION_TYPES).join(', ')}`;
    report('Type', `has the unknown type '${partition.Type}'`, nearest === undefined ? known : `write '${nearest}'`);
  }
}

interface DiskUse {
  readonly json: LocatedJson;
  readonly system: SystemConfig;
  readonly partitions: readonly PartitionConfig[];
  readonly size?: DiskSize;
  readonly problems: ProblemList;
}

function checkSettings({ json, system, partitions, size, problems }: DiskUse): void {
  const places = listItems(valueAt(json, ['SystemConfigs', '0', 'PartitionSettings']));
  const settings = system.PartitionSettings ?? [];
  settings.forEach((setting, index) => {
    const [place, point] = [places[index]!, setting.MountPoint ?? ''];
    const partition = partitions.find(({ ID }) => ID === setting.ID);
    if (partition === undefined) {
      const ids = partitions.map(({ ID }) => ID);
      const nearest = nearestWord(setting.ID, ids);
      const hint = nearest === undefined ? `the partitions are: ${ids.join(', ')}` : `did you mean '${nearest}'?`;
      return problems.add(`there is no partition '${setting.ID}'`, place.location, hint);
    }
    if (point === '') return;
    const report = (message: string) => problems.add(message, (valueAt(place, ['MountPoint']) ?? place).location);
    if (!/^\/($|([^/\s]+(\/[^/\s]+)*)$)/.test(point) || /\/\.\.?(\/|$)/.test(point))
      report(`the mount point '${point}' is not an absolute path in its plainest form`);
    if (settings.findIndex((one) => one.MountPoint === point) < index)
      report(`two partitions are mounted on '${point}'`);
    if (!partition.FsType || roleOf(partition) === 'bios-boot' || partition.FsType === 'linux-swap')
      report(`partition '${setting.ID}' has no file system that could be mounted on '${point}'`);
    if (setting.MountIdentifier === 'partlabel' && (size?.table !== 'gpt' || !partition.Name))
      report(`partition '${setting.ID}' can't be found by 'partlabel': that needs a GPT and a 'Name'`);
  });
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
