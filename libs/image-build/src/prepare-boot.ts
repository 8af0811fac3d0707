/** Writes into a root what depends on its disk: mount points, fstab, the boot loader's files. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { bootFiles, BIOS_MODULES, EFI_LOADER, espMountPoint, type Kernel } from './boot-files.ts';
import type { DiskPlan } from './disk-plan.ts';
import type { ImageStage, JoinedScript } from './image-stage.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import { STUB, UNIFIED_KERNEL_DIRECTORY } from './unified-kernel.ts';

/** In the output directory: lines `loader <path>` and `kernel <version> <initial RAM disk: yes or no> <FIPS: yes or no>`, oldest first. */
const BOOT_LIST = 'boot-list';

const LIST_SCRIPT = `
exec > ${OUTPUT}/${BOOT_LIST}
cd ${ROOT}
for loader in ${BIOS_MODULES} ${EFI_LOADER} ${STUB}; do if [ -e ".$loader" ]; then echo "loader $loader"; fi; done
[ -d boot ] || exit 0
for kernel in $(cd boot; find . -maxdepth 1 -name 'vmlinuz-*' -printf '%f\\n' | sort --version-sort); do
  version=\${kernel#vmlinuz-}
  initrd=no; if [ -e "boot/initramfs-$version.img" ]; then initrd=yes; fi
  fips=no; if grep --quiet --no-messages '^CONFIG_CRYPTO_FIPS=y$' "boot/config-$version"; then fips=yes; fi
  echo "kernel $version $initrd $fips"
done
`;

/** Arguments: mount points after `--points`, then pairs of a file in /output and a path. */
const WRITE_SCRIPT = `
cd ${ROOT}
shift
while [ "$1" != -- ]; do mkdir -p ".$1"; shift; done
shift
while [ $# -gt 0 ]; do
  mkdir -p ".\${2%/*}"
  rm -f ".$2"
  cp --no-preserve=all "$1" ".$2"
  shift 2
done
`;

/** Comes before `bootScript`. */
export const LOOK_FOR_BOOT: JoinedScript = {
  script: LIST_SCRIPT,
  failure: 'the kernels could not be listed',
  code: 'IMAGE_BOOT_FAILED',
};

/**
 * Runs before times are settled, since all of this is content of the image.
 * @throws BuildError `IMAGE_KERNEL_MISSING`, `IMAGE_FIPS_MISSING`, `IMAGE_LOADER_MISSING`
 */
export async function bootScript(stage: ImageStage, plan: DiskPlan): Promise<JoinedScript> {
  const { request, directories } = stage;
  const { definition } = request;
  const { kernels, loaders } = parseBootList(await readFile(join(directories.output, BOOT_LIST), 'utf8'));
  const { type } = definition.boot;
  if (type !== 'none' && kernels.length === 0) {
    throw new BuildError('IMAGE_KERNEL_MISSING', `${definition.name} has no kernel: there is no /boot/vmlinuz-*`, {
      location: { file: definition.file, line: 1 },
      hint: "name the kernel's package in 'KernelOptions' as 'default'",
    });
  }
  const newest = kernels.at(-1);
  if (definition.boot.fips === true && newest !== undefined && !newest.hasFips) {
    const message = `${definition.name}: the kernel ${newest.version} knows nothing of FIPS`;
    throw new BuildError(
      'IMAGE_FIPS_MISSING',
      `${message}: /boot/config-${newest.version} has no CONFIG_CRYPTO_FIPS=y`,
      {
        location: { file: definition.file, line: 1 },
        hint: "leave out 'EnableFIPS', or take another kernel",
      },
    );
  }
  const isUnified = definition.boot.unifiedKernel !== undefined;
  const loader = { efi: isUnified ? STUB : EFI_LOADER, legacy: BIOS_MODULES, none: undefined }[type];
  if (loader !== undefined && !loaders.includes(loader)) {
    throw new BuildError('IMAGE_LOADER_MISSING', `${definition.name} has no boot loader: there is no ${loader}`, {
      location: { file: definition.file, line: 1 },
    });
  }
  const words: string[] = [];
  for (const [index, [path, text]] of Object.entries(bootFiles(definition, plan, kernels)).entries()) {
    const name = `boot-file-${index}`;
    await writeFile(join(directories.output, name), text);
    words.push(`${OUTPUT}/${name}`, path);
  }
  const points = plan.partitions.flatMap(({ definition: { mount } }) => mount?.point ?? []);
  if (isUnified) points.push(`${espMountPoint(plan)}${UNIFIED_KERNEL_DIRECTORY}`);
  else if (type === 'efi') words.push(`.${EFI_LOADER}`, `${espMountPoint(plan)}/EFI/BOOT/BOOTX64.EFI`);
  return {
    script: WRITE_SCRIPT,
    words: ['--points', ...points, '--', ...words],
    failure: 'fstab and the files of the boot loader could not be written',
    code: 'IMAGE_BOOT_FAILED',
  };
}

function parseBootList(text: string): { kernels: Kernel[]; loaders: string[] } {
  const rows = text.split('\n').map((line) => line.split(' '));
  return {
    kernels: rows
      .filter(([kind]) => kind === 'kernel')
      .map(([, version, initrd, fips]) => ({
        version: version!,
        hasInitrd: initrd === 'yes',
        hasFips: fips === 'yes',
      })),
    loaders: rows.filter(([kind]) => kind === 'loader').map(([, path]) => path!),
  };
}
