/** A medium that starts by itself, as a CD or as a disk, with a BIOS or with UEFI; its system runs in memory. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BIOS_LOADER_MODULES, BIOS_MODULES, EFI_MODULES, quotedForGrub, serialConsole } from '../boot-files.ts';
import { hexFrom, uuidFrom } from '../disk-plan.ts';
import { MAKE_SQUASHFS } from '../file-systems.ts';
import { runScript } from '../image-stage.ts';
import { PLACE_SYSTEMS_SCRIPT, prepareInstaller } from '../installer-medium.ts';
import { COLLECT_SCRIPT, startScript } from '../live-start.ts';
import type { ArtifactWriter } from '../made-image.ts';
import { placeRootLabels } from './root-file-system.ts';

/** Of GRUB, to reach its menu on the medium. */
const MEDIUM_MODULES = [...BIOS_LOADER_MODULES.filter((one) => one !== 'biosdisk'), 'iso9660', 'search_fs_file'];

/** Prints the version of the newest kernel. */
const KERNEL_SCRIPT = `
kernel=$({ find /image/boot -maxdepth 1 -name 'vmlinuz-*' 2> /dev/null || true; } | sort --version-sort | tail -n 1)
if [ -z "$kernel" ]; then echo 'there is no /boot/vmlinuz-*' >&2; exit 1; fi
echo "\${kernel#*/vmlinuz-}"
`;

/** Programs and modules of GRUB are the image's. */
const LOADER_SCRIPT = `
cd /output
grub2-mkimage -d ${BIOS_MODULES} -O i386-pc-eltorito -p /boot/grub2 -c start.cfg -o eltorito.img biosdisk ${MEDIUM_MODULES.join(' ')}
grub2-mkimage -d ${EFI_MODULES} -O x86_64-efi -p /boot/grub2 -c start.cfg -o bootx64.efi efi_gop all_video ${MEDIUM_MODULES.join(' ')}
cp ${BIOS_MODULES}/boot_hybrid.img .
`;

/** Arguments: version of the kernel, path of the squashfs, label, serial number of the FAT file system, UUID of the GPT, file with labels or nothing. */
const ISO_SCRIPT = `
version=$1 system=$2 label=$3 serial=$4 disk=$5
settle() { find "$@" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +; }
cp init start/init
chmod 0755 start/init
mkdir -p medium/boot/grub2 "medium\${system%/*}"
settle start
(cd start; find . -print0 | LC_ALL=C sort -z | cpio --quiet --create --null --format=newc --reproducible --owner=0:0) |
  zstd --quiet -T2 -12 --check > medium/boot/initrd.img
cp "/image/boot/vmlinuz-$version" medium/boot/vmlinuz
cp menu.cfg medium/boot/grub2/grub.cfg
cp eltorito.img medium/boot/grub2/eltorito.img
content=/image image="medium$system" labels=$6
${MAKE_SQUASHFS}

# As large as the boot loader, directories and tables, in tracks of 32 sectors.
size=$(stat --format=%s bootx64.efi)
truncate --size=$(((size + 65536 + 16383) / 16384 * 16384)) efi.img
mkfs.vfat -F 12 -i "$serial" --invariant efi.img > /dev/null
settle bootx64.efi
export MTOOLS_SKIP_CHECK=1
mmd -i efi.img ::/EFI ::/EFI/BOOT
mcopy -m -i efi.img bootx64.efi ::/EFI/BOOT/BOOTX64.EFI

${PLACE_SYSTEMS_SCRIPT}
settle medium
date=$(date --utc --date="@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)
xorriso -as mkisofs -quiet -r -V "$label" --modification-date="$date" --set_all_file_dates "$date" -o artifact \\
  --grub2-mbr boot_hybrid.img -partition_offset 16 --mbr-force-bootable -appended_part_as_gpt \\
  -append_partition 2 C12A7328-F81F-11D2-BA4B-00A0C93EC93B efi.img --gpt_disk_guid "$disk" \\
  -c boot.cat -b boot/grub2/eltorito.img -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-boot-info \\
  -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot -graft-points /=medium "\${grafts[@]}"
rm -r start medium
`;

export const writeIso: ArtifactWriter = async (made, artifact) => {
  const { stage } = made;
  const { definition, identity } = stage.request;
  const place = (name: string, text: string) => writeFile(join(stage.directories.output, name), text);
  const failure = `the artifact of type '${artifact.type}' could not be made`;
  const step = { failure, code: 'IMAGE_ARTIFACT_FAILED' } as const;
  const { stdout } = await runScript(stage, { ...step, script: KERNEL_SCRIPT, tools: 'image-tools' });
  const version = stdout.trim();
  // No other medium has a file of this name, so that the right one is found.
  const system = `/live/${hexFrom(identity, 'iso', 32)}.squashfs`;
  await place('start.cfg', mediumStart(system));
  await place('menu.cfg', mediumMenu(`${definition.name} ${version}`, definition.boot.commandLine));
  await place('init', startScript(system));
  await runScript(stage, { ...step, script: COLLECT_SCRIPT, words: [version], tools: 'image' });
  await runScript(stage, { ...step, script: `export PATH=/usr/bin:/usr/sbin\n${LOADER_SCRIPT}`, tools: 'image' });
  const words = [
    version,
    system,
    volumeLabel(definition.name),
    hexFrom(identity, 'iso efi', 8),
    uuidFrom(identity, 'iso'),
    await placeRootLabels(made, 'squashfs'),
  ];
  const mounts = await prepareInstaller(stage);
  await runScript(stage, { ...step, script: `cd /output\n${ISO_SCRIPT}`, words, tools: 'image-tools', mounts });
};

/** What both boot loaders read first. */
function mediumStart(system: string): string {
  return [
    `search --no-floppy --file --set=root ${system}`,
    'set prefix=($root)/boot/grub2',
    'configfile $prefix/grub.cfg\n',
  ].join('\n');
}

function mediumMenu(title: string, commandLine: readonly string[]): string {
  const words = commandLine.join(' ');
  return [
    ...serialConsole(words),
    'set default=0',
    'set timeout=0',
    `menuentry '${title}' {`,
    `  linux /boot/vmlinuz ${quotedForGrub(words)}`,
    '  initrd /boot/initrd.img',
    '}\n',
  ].join('\n');
}

/** As ISO 9660 allows them: capital letters, digits and `_`, at most 32. */
export function volumeLabel(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_]/g, '_')
    .slice(0, 32);
}
