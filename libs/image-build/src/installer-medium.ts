/** What a medium has of the systems that it installs. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SBOM_SUFFIX } from './image-files.ts';
import type { ToolMount } from './image-ports.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { rootKey, sbomKey } from './local-files.ts';

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
  mkdir -p "medium/systems/$name"
  kib=$(($(zstd --quiet --decompress --stdout "$root" | wc -c) / 1024))
  { cat "$description"; echo "size-kib $kib"; } > "medium/systems/$name/description"
  grafts+=("/systems/$name/root.tar.zst=$root" "/systems/$name/$name${SBOM_SUFFIX}=/systems/$name${SBOM_SUFFIX}")
done
if [ -e answers ]; then install -D -m 0644 answers medium/installer/answers; fi
`;

/**
 * Places descriptions and answers in the output directory; roots and bills of materials are mounted below /systems, as they are large.
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
  for (const { image, title, commandLine } of installer.systems) {
    await place(`system-${image}`, `title ${title}\ncommand-line ${commandLine.join(' ')}\n`);
    const mount = (key: string, target: string) =>
      mounts.push({ source: request.localFiles[key]!.path, target, writable: false });
    mount(rootKey(image), `/systems/${image}.tar.zst`);
    mount(sbomKey(image), `/systems/${image}${SBOM_SUFFIX}`);
  }
  return mounts;
}
