/** A workspace with the specs of a checkout of Azure Linux, set up to try them on Debian's packages. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DISTRO_FILE } from '@kiln/distribution';
import { tryOnDebian } from '../azurelinux/debian-full/try-on-debian.ts';
import { layOutWorkspace, SOURCES_LOCK } from '../azurelinux/lay-out-workspace.ts';
import { setUpWorkspace } from '../azurelinux/set-up-workspace.ts';

const SPEC_ROOTS = ['SPECS', 'SPECS-EXTENDED', 'SPECS-SIGNED'];

/** Does nothing when the directory is such a workspace already. */
export async function prepareTrialWorkspace(
  root: string,
  { tree, sources }: { readonly tree: string; readonly sources: string | undefined },
): Promise<void> {
  if (existsSync(join(root, DISTRO_FILE))) return;
  layOutWorkspace(root, { tree, roots: SPEC_ROOTS });
  if (sources !== undefined) appendFileSync(join(root, SOURCES_LOCK), readFileSync(sources));
  await setUpWorkspace(root, report);
  await tryOnDebian(root, report);
}

function report(line: string): void {
  console.error(line);
}
