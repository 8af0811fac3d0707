/** The files of a root that depend on its disk: fstab, the boot loader's menu and the boot loader for UEFI. Pure. */
import type { ImageDefinition } from '@kiln/image-config';
import { deviceName, partitionOf, VERITY_DEVICE, type DiskPlan, type PlannedPartition } from './disk-plan.ts';
import { READ_ONLY_FILE_SYSTEMS } from './file-systems.ts';

/** Where our packages have the boot loader for UEFI. */
export const EFI_LOADER = '/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi';

/** Directory of modules for a BIOS. */
export const BIOS_MODULES = '/usr/lib/grub/i386-pc';

/** Directory of modules for UEFI. */
export const EFI_MODULES = '/usr/lib/grub/x86_64-efi';

const GRUB_DIRECTORY = '/boot/grub2';

/** What the boot loader for a BIOS must have in itself to reach its menu and the kernel. */
export const BIOS_LOADER_MODULES = [
  ...['biosdisk', 'part_gpt', 'part_msdos', 'ext2', 'fat', 'search', 'search_fs_uuid', 'normal', 'configfile'],
  ...['linux', 'gzio', 'serial', 'terminal', 'echo', 'test', 'sleep', 'ls', 'cat', 'halt', 'reboot'],
];

/** Those for the disk's own /boot. */
export function biosLoaderModules(plan: DiskPlan): string[] {
  const { fileSystem } = partitionOf(plan, '/boot')!.definition;
  return fileSystem === 'xfs' ? [...BIOS_LOADER_MODULES, 'xfs'] : BIOS_LOADER_MODULES;
}

/** File system types as mount(8) calls them. */
const MOUNT_TYPES: Readonly<Record<string, string>> = { fat16: 'vfat', fat32: 'vfat', 'linux-swap': 'swap' };

/** No fsck is run on them: they can't be changed, or the kernel mends them when it mounts them. */
const UNCHECKED_FILE_SYSTEMS: ReadonlySet<string> = new Set([...READ_ONLY_FILE_SYSTEMS, 'xfs']);

/** A kernel of the root: /boot/vmlinuz-<version>. */
export interface Kernel {
  readonly version: string;
  readonly hasInitrd: boolean;
  /** Whether its configuration beside it (/boot/config-<version>) says so. */
  readonly hasFips: boolean;
}

/** fstab(5): all that is mounted, the upper ones first, then swap and what hides the processes of others. */
export function fstab({ hidepid }: Pick<ImageDefinition, 'hidepid'>, { partitions, verity }: DiskPlan): string {
  const mounted = partitions
    .filter(({ definition: { mount } }) => mount !== undefined)
    .sort((a, b) => (a.definition.mount!.point < b.definition.mount!.point ? -1 : 1))
    .map((partition) => {
      const { mount, fileSystem = '' } = partition.definition;
      const type = MOUNT_TYPES[fileSystem] ?? fileSystem;
      const isRoot = mount!.point === '/';
      if (isRoot && verity !== undefined) return `${VERITY_DEVICE} / ${type} ${withReadOnly(mount!.options)} 0 0\n`;
      const pass = UNCHECKED_FILE_SYSTEMS.has(fileSystem) ? 0 : isRoot ? 1 : 2;
      return `${deviceName(partition)} ${mount!.point} ${type} ${mount!.options} 0 ${pass}\n`;
    });
  const swap = partitions
    .filter(({ definition: { fileSystem } }) => fileSystem === 'linux-swap')
    .map((partition) => `${deviceName(partition)} none swap sw 0 0\n`);
  const processes = hidepid ? ['proc /proc proc nosuid,nodev,noexec,hidepid=2 0 0\n'] : [];
  return [...mounted, ...swap, ...processes].join('');
}

/** Options of mount(8) for what nothing can be written to. */
function withReadOnly(options: string): string {
  return ['ro', ...options.split(',').filter((one) => !['defaults', 'ro', 'rw', ''].includes(one))].join(',');
}

/** With FIPS an initial RAM disk checks the kernel's own file, and must find it when /boot is a partition. */
export function fipsWords({ boot }: Pick<ImageDefinition, 'boot'>, plan: DiskPlan): string[] {
  const partition = plan.partitions.find(({ definition }) => definition.mount?.point === '/boot');
  return boot.fips === true && partition !== undefined ? [`boot=UUID=${partition.fileSystemUuid}`] : [];
}

/** Words by which the kernel finds a root that is a partition. */
export function rootWords(plan: DiskPlan): string[] {
  const root = partitionOf(plan, '/')!;
  // A kernel without initial RAM disk knows partitions by their own UUID alone.
  return [`root=PARTUUID=${root.partUuid}`, `rootfstype=${root.definition.fileSystem ?? ''}`];
}

/** The words that the kernel is started with. */
function kernelCommandLine(definition: ImageDefinition, plan: DiskPlan): string {
  return [...rootWords(plan), ...fipsWords(definition, plan), ...definition.boot.commandLine].join(' ');
}

/** grub.cfg of the root: starts the newest kernel; `serial` consoles of the kernel are the menu's too. */
export function grubMenu(definition: ImageDefinition, plan: DiskPlan, kernels: readonly Kernel[]): string {
  const words = kernelCommandLine(definition, plan);
  const { find, prefix } = bootPlace(plan);
  const entries = [...kernels]
    .reverse()
    .map(({ version, hasInitrd }) =>
      [
        `menuentry '${definition.name} ${version}' {`,
        `  linux ${prefix}/vmlinuz-${version} ${quotedForGrub(words)}`,
        ...(hasInitrd ? [`  initrd ${prefix}/initramfs-${version}.img`] : []),
        '}',
      ].join('\n'),
    );
  return [...serialConsole(words), 'set default=0', 'set timeout=0', find, ...entries, ''].join('\n');
}

/**
 * Words for a command of GRUB's: what its language takes for more than a character (manual, 6.3) gets a backslash, but for double
 * quotation marks, which mean the same to the kernel, and what has one already.
 */
export function quotedForGrub(words: string): string {
  let isQuoted = false;
  return words.replaceAll(/\\.|["'$;&|<>#]/g, (found) => {
    if (found === '"') isQuoted = !isQuoted;
    return found.length > 1 || found === '"' || (isQuoted && found !== '$') ? found : `\\${found}`;
  });
}

/** The menu's lines for a serial console that the kernel's words name. */
export function serialConsole(words: string): string[] {
  const serial = /(?:^| )console=ttyS(\d+)(?:,(\d+))?/.exec(words);
  if (serial === null) return [];
  return [
    `serial --unit=${serial[1]} --speed=${serial[2] ?? '115200'}`,
    'terminal_input serial console',
    'terminal_output serial console',
  ];
}

/** What a boot loader reads first: leads to the menu of the root. */
export function grubStart(plan: DiskPlan): string {
  const { find, prefix } = bootPlace(plan);
  return `${find}\nset prefix=($root)${prefix}/grub2\nconfigfile $prefix/grub.cfg\n`;
}

/** Absolute paths in the root, with the content of each. */
export function bootFiles(
  definition: ImageDefinition,
  plan: DiskPlan,
  kernels: readonly Kernel[],
): Readonly<Record<string, string>> {
  const files: Record<string, string> = { '/etc/fstab': fstab(definition, plan) };
  if (definition.boot.type === 'none' || definition.boot.unifiedKernel !== undefined) return files;
  files[`${GRUB_DIRECTORY}/grub.cfg`] = grubMenu(definition, plan, kernels);
  // The loader looks on the partition that it comes from, at the place that it was made for.
  if (definition.boot.type === 'efi') files[`${espMountPoint(plan)}${GRUB_DIRECTORY}/grub.cfg`] = grubStart(plan);
  return files;
}

/** Where the file system for the firmware is mounted. */
export function espMountPoint({ partitions }: DiskPlan): string {
  return partitions.find(({ definition }) => definition.role === 'esp')!.definition.mount!.point;
}

/** How the boot loader finds the file system with /boot, and what /boot is called there. */
function bootPlace(plan: DiskPlan): { readonly find: string; readonly prefix: string } {
  const partition: PlannedPartition = partitionOf(plan, '/boot')!;
  const isOwn = partition.definition.mount!.point === '/boot';
  return {
    find: `search --no-floppy --fs-uuid --set=root ${partition.fileSystemUuid}`,
    prefix: isOwn ? '' : '/boot',
  };
}
