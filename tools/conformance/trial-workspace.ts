/** A workspace with the specs of a checkout of Azure Linux, set up to try them on Debian's packages. */
import { appendFileSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DISTRO_FILE } from '@kiln/distribution';
import { BUILD_ROOT_MANIFEST } from '../azurelinux/debian-full/write-debian-full.ts';
import { tryOnDebian } from '../azurelinux/debian-full/try-on-debian.ts';
import { setUpWorkspace } from '../azurelinux/set-up-workspace.ts';

const KILN = join(dirname(fileURLToPath(import.meta.url)), '../..');
const SPEC_ROOTS = ['SPECS', 'SPECS-EXTENDED', 'SPECS-SIGNED'];
const LOCK = 'toolkit/sources/debian.lock';

/** Does nothing when the directory is such a workspace already. */
export async function prepareTrialWorkspace(
  root: string,
  { tree, sources }: { readonly tree: string; readonly sources: string | undefined },
): Promise<void> {
  if (existsSync(join(root, DISTRO_FILE))) return;
  mkdirSync(join(root, 'toolkit/sources'), { recursive: true });
  mkdirSync(join(root, 'imageconfigs'));
  for (const one of SPEC_ROOTS) cpSync(join(tree, one), join(root, one), { recursive: true });
  mkdirSync(dirname(join(root, BUILD_ROOT_MANIFEST)), { recursive: true });
  copyFileSync(join(tree, BUILD_ROOT_MANIFEST), join(root, BUILD_ROOT_MANIFEST));
  copyFileSync(join(KILN, LOCK), join(root, LOCK));
  if (sources !== undefined) appendFileSync(join(root, LOCK), readFileSync(sources));
  const config = {
    name: 'azurelinux',
    version: '3.0',
    architecture: 'x86_64',
    specRoots: SPEC_ROOTS,
    imageDirectory: 'imageconfigs',
    macros: { main: 'SPECS/azurelinux-rpm-macros/macros', additional: [] },
    defines: {},
    toolchain: {
      provider: 'debian',
      packages: 'toolkit/toolchain/debian-bookworm.json',
      lock: 'toolkit/toolchain/debian-bookworm.lock.json',
    },
    sources: { debianLock: LOCK },
    provides: 'toolkit/provides',
    macroAnswers: 'toolkit/macro-answers.json',
  };
  writeFileSync(join(root, DISTRO_FILE), `${JSON.stringify(config, undefined, 2)}\n`);
  cpSync(join(KILN, 'toolkit/toolchain'), join(root, 'toolkit/toolchain'), { recursive: true });
  await setUpWorkspace(root, report);
  await tryOnDebian(root, report);
}

function report(line: string): void {
  console.error(line);
}
