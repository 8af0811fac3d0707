/** The files that image definitions refer to, on the disk. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync, type Stats } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { DefinitionFiles, LocalEntry, LocalFile } from '@kiln/image-config';

/** Below `root`, an absolute directory; what lies outside of it isn't there. With the root `/` all paths are absolute. */
export function definitionFilesOnDisk(root: string): DefinitionFiles {
  const absolute = (path: string) => {
    const full = resolve(root, path);
    return root === '/' || full.startsWith(`${root}/`) ? full : undefined;
  };
  return {
    read: (path) => {
      const full = absolute(path);
      return full === undefined ? undefined : attempt(() => readFileSync(full, 'utf8'));
    },
    inspect: (path) => {
      const full = absolute(path);
      return full === undefined ? undefined : attempt(() => inspect(full, root));
    },
  };
}

function inspect(full: string, root: string): LocalFile {
  const stats = statSync(full);
  const real = realpathSync(full);
  return {
    type: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    realPath: root === '/' ? real : relative(realpathSync(root), real),
    executable: isExecutable(stats),
    ...(stats.isDirectory() ? { entries: entriesBelow(full) } : {}),
  };
}

function entriesBelow(directory: string): LocalEntry[] {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return paths.map((path): LocalEntry => {
    const full = join(directory, path);
    const stats = lstatSync(full);
    if (stats.isSymbolicLink()) return { path, type: 'link', executable: false, target: readlinkSync(full) };
    return {
      path,
      type: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
      executable: isExecutable(stats),
    };
  });
}

function isExecutable({ mode }: Stats): boolean {
  return (mode & 0o100) !== 0;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
