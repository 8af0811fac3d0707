/** `toolkit/upstream.lock.json`: what of the tree came from upstream, and as what. Everything else is local. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';

/**
 * What stands at a path, as one comparable text: the SHA-256 of a file, followed by ` executable` when it is; `link <target>`;
 * undefined where nothing stands.
 */
export type PathContent = string | undefined;

/** Workspace-relative path → content. */
export type TreeContent = ReadonlyMap<string, string>;

/** Where an upstream tree is from. */
export interface UpstreamOrigin {
  /** Address of a git repository, or a directory. */
  readonly from: string;
  /** The branch, tag or commit that was asked for; absent for directories. */
  readonly ref?: string;
  /** The commit that it was. */
  readonly commit?: string;
}

export interface UpstreamLock extends UpstreamOrigin {
  readonly version: 1;
  /** Spec roots that were imported. */
  readonly roots: readonly string[];
  /** While files are being changed: the digest of the tree that is being imported. */
  readonly unfinished?: string;
  readonly files: Readonly<Record<string, string>>;
}

export const UPSTREAM_LOCK = 'toolkit/upstream.lock.json';

/** Undefined when nothing was imported yet. @throws BuildError `UPSTREAM_LOCK_INVALID` */
export async function readUpstreamLock(root: string): Promise<UpstreamLock | undefined> {
  let text: string;
  try {
    text = await readFile(join(root, UPSTREAM_LOCK), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const lock = JSON.parse(text) as UpstreamLock;
    if (lock.version !== 1) throw new Error(`its version is ${JSON.stringify(lock.version)}, expected is 1`);
    if (!Array.isArray(lock.roots) || typeof lock.from !== 'string') throw new Error(`it has no 'roots' or no 'from'`);
    const contents = Object.values(lock.files);
    if (contents.some((one) => !/^([0-9a-f]{64}( executable)?|link .+)$/.test(one)))
      throw new Error('a digest is wrong');
    return lock;
  } catch (cause) {
    throw new BuildError('UPSTREAM_LOCK_INVALID', `${UPSTREAM_LOCK} can't be used: ${(cause as Error).message}`, {
      location: { file: UPSTREAM_LOCK, line: 1 },
      hint: 'restore the file from version control: without it nobody knows what was changed here',
      cause,
    });
  }
}

/** One line a file, sorted. */
export function formatUpstreamLock({ files, ...rest }: UpstreamLock): string {
  const sorted = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ ...rest, files: sorted }, undefined, 1)}\n`;
}
