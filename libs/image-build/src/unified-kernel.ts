/** A unified kernel image: the newest kernel of the root and its command line behind the stub that the firmware starts. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { fipsWords, rootWords } from './boot-files.ts';
import { MIB, partitionFile, type DiskPlan } from './disk-plan.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import { verityWords, type HashTree } from './verity-root.ts';

/** In the root: the part that runs first, of systemd-stub(7). */
export const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';

/** Below the mount point of the partition for the firmware: what it starts when nobody told it anything. */
export const UNIFIED_KERNEL_DIRECTORY = '/EFI/BOOT';
export const UNIFIED_KERNEL_PATH = `${UNIFIED_KERNEL_DIRECTORY}/BOOTX64.EFI`;

/** In the output directory. */
export const UNIFIED_KERNEL_FILE = 'unified-kernel.efi';

/** What the kernel accepts of a command line on x86, with the zero at its end. */
const MOST_BYTES = 2048;

/** Argument: the partition's file. */
const UNIFY_SCRIPT = `
cd ${OUTPUT}
kernel=$(find ${ROOT}/boot -maxdepth 1 -name 'vmlinuz-*' | sort --version-sort | tail -n 1)
version=\${kernel##*/vmlinuz-}
initrd=()
if [ -e "${ROOT}/boot/initramfs-$version.img" ]; then initrd=(--initrd="${ROOT}/boot/initramfs-$version.img"); fi
ukify build --efi-arch=x64 --stub=${ROOT}${STUB} --linux="$kernel" "\${initrd[@]}" --uname="$version" \\
  --os-release=@${OUTPUT}/os-release --cmdline=@${OUTPUT}/command-line --output=${UNIFIED_KERNEL_FILE} >&2
touch --date="@$SOURCE_DATE_EPOCH" ${UNIFIED_KERNEL_FILE}
MTOOLS_SKIP_CHECK=1 mcopy -m -i "$1" ${UNIFIED_KERNEL_FILE} ::${UNIFIED_KERNEL_PATH}
`;

/**
 * Makes it and puts it into the partition for the firmware, which is there. It isn't signed.
 * @throws BuildError `IMAGE_UNIFIED_KERNEL_FAILED`, `PARTITION_TOO_SMALL`
 */
export async function placeUnifiedKernel(stage: ImageStage, plan: DiskPlan, tree: HashTree | undefined): Promise<void> {
  const { definition } = stage.request;
  const words = tree === undefined ? rootWords(plan) : verityWords(plan, tree);
  const commandLine = [...words, ...fipsWords(definition, plan), ...definition.boot.commandLine].join(' ');
  const failed = { code: 'IMAGE_UNIFIED_KERNEL_FAILED', failure: 'the unified kernel image could not be made' };
  if (Buffer.byteLength(commandLine) >= MOST_BYTES) {
    const message = `${definition.name}: the kernel's command line has ${Buffer.byteLength(commandLine)} bytes`;
    throw new BuildError(failed.code, `${message}, and there is room for ${MOST_BYTES - 1}`, {
      location: { file: definition.file, line: 1 },
      hint: "shorten 'ExtraCommandLine'",
    });
  }
  await writeFile(join(stage.directories.output, 'command-line'), commandLine);
  const partition = plan.partitions.find(({ definition: { role } }) => role === 'esp')!;
  const sizeMiB = partition.sizeBytes / MIB;
  await runScript(stage, {
    ...failed,
    script: UNIFY_SCRIPT,
    words: [partitionFile(partition)],
    tooSmall: `the partition '${partition.definition.id}' has ${sizeMiB} MiB, which is too small for the unified kernel image`,
    tools: 'image-tools',
  });
}
