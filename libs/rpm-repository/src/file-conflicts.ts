/** Files that two packages install in different ways, so that rpm refuses to install both. */
import { FILE_FLAG, isRegular, isSymbolicLink, type RpmFileEntry } from './rpm-files.ts';
import type { RpmPackage } from './rpm-header.ts';

/** A package as this question needs it. */
export type FileOwner = Pick<RpmPackage, 'name' | 'files'>;

export interface FileConflict<Owner extends FileOwner = FileOwner> {
  readonly path: string;
  readonly packages: readonly [Owner, Owner];
  readonly differs: 'mode' | 'size' | 'owner' | 'link target' | 'content' | 'device';
}

const TYPE_BITS = 0o170000;
const MOST_LINKS = 40;

/**
 * All conflicts among packages, sorted by path. Paths are compared with the symbolic links of the packages' directories resolved, as on
 * an installed system. Whether two packages may be installed together at all is the caller's question.
 */
export function findFileConflicts<Owner extends FileOwner>(packages: readonly Owner[]): FileConflict<Owner>[] {
  const resolve = directoryResolver(packages);
  const byPath = new Map<string, { owner: Owner; file: RpmFileEntry }[]>();
  const conflicts: FileConflict<Owner>[] = [];
  for (const owner of packages) {
    for (const file of owner.files) {
      const path = resolve(file.path);
      const others = byPath.get(path);
      if (others === undefined) byPath.set(path, [{ owner, file }]);
      else {
        for (const other of others) {
          const differs = other.owner === owner ? undefined : difference(other.file, file);
          if (differs !== undefined) conflicts.push({ path, packages: [other.owner, owner], differs });
        }
        others.push({ owner, file });
      }
    }
  }
  return conflicts.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** In what two files of one path differ for rpm (rpmfilesCompare, lib/rpmfi.c); a `%ghost` differs from nothing. */
function difference(a: RpmFileEntry, b: RpmFileEntry): FileConflict['differs'] | undefined {
  if (((a.flags | b.flags) & FILE_FLAG.ghost) !== 0) return undefined;
  const [link, regular] = [isSymbolicLink(a), isRegular(a)];
  if (!(link && isSymbolicLink(b)) && a.mode !== b.mode) return 'mode';
  if ((link || regular) && a.size !== b.size) return link ? 'link target' : 'size';
  if (a.user !== b.user || a.group !== b.group) return 'owner';
  if (link) return a.linkTarget === b.linkTarget ? undefined : 'link target';
  if (regular) return a.digest === b.digest ? undefined : 'content';
  return isDevice(a) && a.rdev !== b.rdev ? 'device' : undefined;
}

function isDevice({ mode }: RpmFileEntry): boolean {
  return [0o020000, 0o060000].includes(mode & TYPE_BITS);
}

/** Replaces directories of a path that some package installs as a symbolic link, for example `/lib` by `/usr/lib`. */
function directoryResolver(packages: readonly FileOwner[]): (path: string) => string {
  const links = new Map<string, string>();
  for (const { files } of packages)
    for (const { path, linkTarget, mode } of files)
      if (linkTarget !== undefined && isSymbolicLink({ mode })) links.set(path, linkTarget);
  const known = new Map<string, string>([['', '']]);
  const directory = (path: string, depth: number): string => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const slash = path.lastIndexOf('/');
    const whole = `${directory(path.slice(0, slash), depth)}/${path.slice(slash + 1)}`;
    const target = links.get(whole);
    const next = target?.startsWith('/') === true ? target : `${whole.slice(0, whole.lastIndexOf('/'))}/${target}`;
    const resolved = target === undefined || depth > MOST_LINKS ? whole : directory(normalize(next), depth + 1);
    known.set(path, resolved);
    return resolved;
  };
  return (path) => `${directory(path.slice(0, path.lastIndexOf('/')), 0)}${path.slice(path.lastIndexOf('/'))}`;
}

/** Without `.`, `..` and doubled slashes. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.map((part) => `/${part}`).join('');
}
