/** What is well-formed in 'PartitionSettings' but can't be: where partitions are mounted, and what fstab would say of them. */
import { nearestWord } from '@kiln/diagnostics';
import { roleOf, type PartitionConfig } from './disk-definition.ts';
import type { DiskUse } from './disk-problems.ts';
import type { SystemConfig } from './image-config-schema.ts';
import { listItems, valueAt } from './located-json.ts';

type Setting = NonNullable<SystemConfig['PartitionSettings']>[number];
type Report = (member: keyof Setting, message: string, hint?: string) => void;

/** Notes all problems of the first system's settings. */
export function checkMounts({ json, system, partitions, size, problems }: DiskUse): void {
  const places = listItems(valueAt(json, ['SystemConfigs', '0', 'PartitionSettings']));
  const settings = system.PartitionSettings ?? [];
  settings.forEach((setting, index) => {
    const place = places[index]!;
    const report: Report = (member, message, hint) =>
      problems.add(message, (valueAt(place, [member]) ?? place).location, hint);
    const partition = partitions.find(({ ID }) => ID === setting.ID);
    if (partition === undefined) {
      const ids = partitions.map(({ ID }) => ID);
      const nearest = nearestWord(setting.ID, ids);
      const hint = nearest === undefined ? `the partitions are: ${ids.join(', ')}` : `did you mean '${nearest}'?`;
      return problems.add(`there is no partition '${setting.ID}'`, place.location, hint);
    }
    const before = settings.slice(0, index);
    if (before.some(({ ID }) => ID === setting.ID))
      report('ID', `the partition '${setting.ID}' has settings twice`, 'make one of them');
    checkIdentifier(setting, { partition, partitions, isGpt: size?.table === 'gpt' }, report);
    if (setting.MountPoint) checkMount(setting, { partition, before }, report);
  });
}

/** By what fstab names it must be there, and its alone. */
function checkIdentifier(
  { ID, MountIdentifier }: Setting,
  {
    partition,
    partitions,
    isGpt,
  }: Readonly<{ partition: PartitionConfig; partitions: readonly PartitionConfig[]; isGpt: boolean }>,
  report: Report,
): void {
  if (MountIdentifier === 'uuid' && partition.FsType === 'squashfs')
    report('MountIdentifier', `the partition '${ID}' can't be found by 'uuid': squashfs has none`, "use 'partuuid'");
  if (MountIdentifier !== 'partlabel') return;
  if (!isGpt || !partition.Name)
    return report('MountIdentifier', `partition '${ID}' can't be found by 'partlabel': that needs a GPT and a 'Name'`);
  const other = partitions.find((one) => one.ID !== ID && one.Name === partition.Name);
  if (other !== undefined)
    report('MountIdentifier', `partition '${ID}' can't be found by 'partlabel': '${other.ID}' has the same 'Name'`);
}

function checkMount(
  { ID, MountPoint: point = '', MountOptions = '' }: Setting,
  { partition, before }: Readonly<{ partition: PartitionConfig; before: readonly Setting[] }>,
  report: Report,
): void {
  const { FsType = '' } = partition;
  if (!/^\/($|([^/\s]+(\/[^/\s]+)*)$)/.test(point) || /\/\.\.?(\/|$)/.test(point))
    report('MountPoint', `the mount point '${point}' is not an absolute path in its plainest form`);
  if (/^\/(dev|proc|run|sys)(\/|$)/.test(point))
    report('MountPoint', `nothing of a disk can be mounted on '${point}': it is made when the system starts`);
  if (before.some((one) => one.MountPoint === point)) report('MountPoint', `two partitions are mounted on '${point}'`);
  if (FsType === '' || roleOf(partition) === 'bios-boot' || FsType === 'linux-swap')
    report('MountPoint', `partition '${ID}' has no file system that could be mounted on '${point}'`);
  if (point === '/' && /fat/.test(FsType))
    report('MountPoint', `partition '${ID}' can't be the root: FAT has neither owners nor links`, 'use ext4');
  if (/\s/.test(MountOptions))
    report(
      'MountOptions',
      `the mount options of '${ID}' have a blank, which ends them in fstab`,
      'separate them by commas',
    );
}
