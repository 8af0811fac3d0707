/** The distribution as inference read it, for the hasher in the same process, and for the next inference while nothing has changed. */
import { lstatSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DISTRO_FILE, loadDistribution, type Distribution } from '@kiln/distribution';

interface Loaded {
  readonly root: string;
  /** The files that Nx had matched then. */
  readonly files: readonly string[];
  /** Milliseconds since the epoch, before the first file was read. */
  readonly started: number;
  readonly distribution: Promise<Distribution>;
}

let loaded: Loaded | undefined;

/**
 * Reads the tree, unless it was read before and nothing of it has changed since: Nx's daemon infers twice for one edit, and whenever any
 * other file of the workspace changes.
 * @throws BuildError as `loadDistribution`.
 */
export async function readDistribution(root: string, files: readonly string[]): Promise<Distribution> {
  const before = loaded;
  if (before?.root === root && isSameList(before.files, files)) {
    const distribution = await before.distribution.catch(() => undefined);
    if (distribution !== undefined && isUnchanged(distribution, before.started)) return distribution;
  }
  const started = Date.now();
  loaded = { root, files, started, distribution: loadDistribution(root) };
  return loaded.distribution;
}

/** The tree as it was last read in this process. */
export function knownDistribution(root: string): Promise<Distribution> {
  return loaded?.root === root ? loaded.distribution : readDistribution(root, []);
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}

/** A file system's clock may be behind the time of day by one tick. */
const SLACK_MILLISECONDS = 20;

/**
 * Whether all files and directories that reading looks at have been as they are since `started`: every write, rename and removal sets the
 * time of change of the file or of its directory, which no program can set back.
 */
function isUnchanged(distribution: Distribution, started: number): boolean {
  const { root, config, macroFiles, packages, images, askedFiles } = distribution;
  const trees = new Set([...config.specRoots, config.imageDirectory, config.provides, dirname(DISTRO_FILE)]);
  const files = new Set([
    ...macroFiles.map(({ file }) => file),
    ...packages.flatMap(({ inputs }) => inputs),
    ...images.flatMap(({ inputs }) => inputs),
    ...askedFiles,
  ]);
  const isOld = (path: string): boolean => {
    const found = lstatSync(join(root, path), { throwIfNoEntry: false });
    return found === undefined || found.ctimeMs < started - SLACK_MILLISECONDS;
  };
  const inTrees = [...trees].flatMap((directory) => everythingBelow(root, directory));
  const directories = new Set([...files].map((file) => dirname(file)));
  return [...inTrees, ...files, ...directories].every(isOld);
}

/** The directory and all that it holds; links are not followed. */
function everythingBelow(root: string, directory: string): string[] {
  let entries;
  try {
    entries = readdirSync(join(root, directory), { withFileTypes: true });
  } catch {
    return [];
  }
  return [
    directory,
    ...entries.flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? everythingBelow(root, path) : [path];
    }),
  ];
}
