/** What a medium has of the systems that it installs. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstalledDisk, InstalledSystem } from '@kiln/image-config';
import { SBOM_SUFFIX } from './image-files.ts';
import type { ToolMount } from './image-ports.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { placeLocalFile, rootKey, sbomKey } from './local-files.ts';

/** Arguments: names of the systems. The installer of the image itself says what is wrong with its answers. */
const CHECK_SCRIPT = `
installer=/usr/libexec/kiln-installer
if [ ! -x $installer ]; then echo "there is no $installer: it needs the package kiln-installer" >&2; exit 1; fi
if [ -e /output/answers ]; then $installer check /output/answers "$@"; fi
`;

/**
 * Runs in the output directory after `prepareInstaller`: writes into the directory `medium`, and into the array `grafts` which files stand where
 * on the medium without being copied.
 */
export const PLACE_SYSTEMS_SCRIPT = `
grafts=()
for description in system-*; do
  [ -e "$description" ] || continue
  name=\${description#system-}
  root=/systems/$name.tar.zst
  if grep --quiet '^selinux ' "$description" && ! zstd --quiet --decompress --stdout "$root" | tar --list | grep '^[.]/\(usr/\)\?s\?bin/setfiles$' > /dev/null; then
    echo "$name has a mode of SELinux, and no setfiles to label its files with when it is installed" >&2
    exit 1
  fi
  mkdir -p "medium/systems/$name"
  kib=$(($(zstd --quiet --decompress --stdout "$root" | wc -c) / 1024))
  { cat "$description"; echo "size-kib $kib"; } > "medium/systems/$name/description"
  for script in "script-$name."*; do
    [ ! -e "$script" ] || install -D -m 0755 "$script" "medium/systems/$name/scripts/\${script##*.}"
  done
  grafts+=("/systems/$name/root.tar.zst=$root" "/systems/$name/$name${SBOM_SUFFIX}=/systems/$name${SBOM_SUFFIX}")
done
if [ -e answers ]; then install -D -m 0644 answers medium/installer/answers; fi
`;

/**
 * Places descriptions, scripts and answers in the output directory; roots and bills of materials are mounted below /systems, as they are large.
 * @throws BuildError `IMAGE_INSTALLER_WRONG`
 */
export async function prepareInstaller(stage: ImageStage): Promise<ToolMount[]> {
  const { request, directories } = stage;
  const { installer } = request.definition;
  if (installer === undefined) return [];
  const place = (name: string, text: string) => writeFile(join(directories.output, name), text);
  if (installer.answers !== undefined) await place('answers', installer.answers);
  await runScript(stage, {
    script: CHECK_SCRIPT,
    words: installer.systems.map(({ image }) => image),
    failure: 'it can not install',
    code: 'IMAGE_INSTALLER_WRONG',
    tools: 'image',
  });
  const mounts: ToolMount[] = [];
  for (const system of installer.systems) {
    const { image, partitionScripts = [] } = system;
    await place(`system-${image}`, systemDescription(system));
    for (const [index, { source }] of partitionScripts.entries()) {
      const copy = join(directories.output, `script-${image}.${index + 1}`);
      await placeLocalFile(request, source, copy);
      // It is read by another user.
      await chmod(copy, 0o644);
    }
    const mount = (key: string, target: string) =>
      mounts.push({ source: request.localFiles[key]!.path, target, writable: false });
    mount(rootKey(image), `/systems/${image}.tar.zst`);
    mount(sbomKey(image), `/systems/${image}${SBOM_SUFFIX}`);
  }
  return mounts;
}

/** Lines of a word and what belongs to it, as the installer reads them; its README has the words. */
function systemDescription({ title, commandLine, disk, partitionScripts, hidepid, selinux }: InstalledSystem): string {
  const lines = [
    `title ${title}`,
    `command-line ${commandLine.join(' ')}`,
    ...(hidepid === true ? ['hidepid yes'] : []),
    ...(selinux === true ? ['selinux yes'] : []),
    ...(disk === undefined ? [] : diskLines(disk)),
    ...(partitionScripts ?? []).map((script, index) => `script ${index + 1} ${script.arguments}`.trimEnd()),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** A hyphen stands for what isn't there. */
function diskLines({ table, partitions }: InstalledDisk): string[] {
  const lines = partitions.map(({ name, fileSystem, role, type, isActive, startMiB, endMiB, mount, identifier }) => {
    const flags = [role === 'bios-boot' ? 'bios' : role, isActive ? 'active' : undefined].filter(
      (one) => one !== undefined,
    );
    const place = mount === undefined ? ['-', '-'] : [mount.point, mount.options];
    const words = [
      startMiB,
      endMiB,
      type ?? '-',
      fileSystem ?? '-',
      identifier,
      flags.join(',') || '-',
      ...place,
      name,
    ];
    return `partition ${words.join(' ')}`.trimEnd();
  });
  return [`table ${table}`, ...lines];
}
