/** `dist/`: a view of the store for people. It can be removed at any time; it is made again from the store. */
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '@kiln/build-identity';
import { writeFileAtomic } from '@kiln/host';
import type { Blob, Store } from '@kiln/store';

/** What a task shows: workspace-relative path → blob. Small, and the only output that Nx keeps. */
export interface Manifest {
  readonly target: string;
  readonly id: string;
  readonly key: string;
  readonly files: Readonly<Record<string, Blob>>;
}

/** Where files of the view are on their way; names carry the id of the process. */
export const VIEW_SCRATCH = join('dist', '.shown', 'tmp');

/** Workspace-relative path of a task's manifest. */
export function manifestPath(architecture: string, target: string, id: string): string {
  return join('dist', 'manifests', architecture, target, `${id}.json`);
}

/** What a task showed last; undefined when there is nothing to read. */
export async function readManifest(
  root: string,
  architecture: string,
  [target, id]: readonly [target: string, id: string],
): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(join(root, manifestPath(architecture, target, id)), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}

/** Whether the view shows exactly these files and nobody has touched them since. */
export async function isViewInPlace(root: string, architecture: string, manifest: Manifest): Promise<boolean> {
  const shown = await readShown(root, architecture, manifest);
  if (shown === undefined || canonicalJson(shown.manifest) !== canonicalJson(manifest)) {
    return false;
  }
  for (const [path, { size }] of Object.entries(manifest.files)) {
    const found = await stat(join(root, path), { bigint: true }).catch(() => undefined);
    if (found === undefined || found.size !== BigInt(size) || String(found.ctimeNs) !== shown.times[path]) return false;
  }
  return true;
}

/** Copies the files from the store, removes those the same task showed before, and writes the manifest last. */
export async function showView(root: string, architecture: string, manifest: Manifest, store: Store): Promise<string> {
  const file = manifestPath(architecture, manifest.target, manifest.id);
  if (!(await isViewInPlace(root, architecture, manifest))) {
    const before = await readShown(root, architecture, manifest);
    for (const path of Object.keys(before?.manifest.files ?? {})) {
      if (!(path in manifest.files)) await rm(join(root, path), { force: true });
    }
    const times: Record<string, string> = {};
    for (const [path, blob] of Object.entries(manifest.files)) {
      await store.materialize(blob, join(root, path), join(root, VIEW_SCRATCH));
      times[path] = String((await stat(join(root, path), { bigint: true })).ctimeNs);
    }
    await writeFileAtomic(shownPath(root, architecture, manifest), JSON.stringify({ manifest, times } satisfies Shown));
  }
  await writeFileAtomic(join(root, file), `${canonicalJson(manifest)}\n`);
  return file;
}

interface Shown {
  readonly manifest: Manifest;
  /** Change times in nanoseconds: they can't be put back. */
  readonly times: Readonly<Record<string, string>>;
}

/** Kept apart from the manifest, because Nx may restore that one without the files. */
function shownPath(root: string, architecture: string, { target, id }: Manifest): string {
  return join(root, 'dist', '.shown', architecture, target, `${id}.json`);
}

async function readShown(root: string, architecture: string, manifest: Manifest): Promise<Shown | undefined> {
  try {
    return JSON.parse(await readFile(shownPath(root, architecture, manifest), 'utf8')) as Shown;
  } catch {
    return undefined;
  }
}
