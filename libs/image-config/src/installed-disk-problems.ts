/** What an installer can't make of a disk. */
import type { InstalledDisk } from './disk-definition.ts';

/** File systems whose programs are on every medium that installs. */
const INSTALLED: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4', 'vfat', 'fat16', 'fat32', 'linux-swap']);

/** Others of an MBR would lie in an extended partition. */
const MOST_OF_MBR = 4;

/** Tells `report` what is wrong, as what the system has or needs. */
export function checkInstalledDisk({ table, partitions }: InstalledDisk, report: (lack: string) => void): void {
  for (const { id, name, fileSystem, identifier } of partitions) {
    if (identifier === 'partlabel' && /\s/.test(name))
      report(`has the partition '${id}' with a blank in its 'Name', by which fstab is to name it`);
    if (fileSystem !== undefined && !INSTALLED.has(fileSystem))
      report(`has the partition '${id}' of type ${fileSystem}, which the installer does not make`);
  }
  if (table === 'mbr' && partitions.length > MOST_OF_MBR)
    report(`has ${partitions.length} partitions, and the installer makes at most ${MOST_OF_MBR} of an MBR`);
  const hasLoader = partitions.some(
    ({ role, mount }) => role === 'bios-boot' || (role === 'esp' && mount !== undefined),
  );
  if (table === 'gpt' && !hasLoader)
    report("has no partition for a boot loader: none has the flag 'bios_grub', and none the flag 'esp' and is mounted");
}
