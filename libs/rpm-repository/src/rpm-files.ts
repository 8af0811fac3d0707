/** The file list of a header. */
import type { HeaderTags } from './header-tags.ts';
import { malformed } from './malformed.ts';
import { RPM_TAG } from './rpm-tag.ts';

/** A file of a package. Numbers are rpm's own; see `FILE_FLAG` and `isRegular`. */
export interface RpmFileEntry {
  /** Absolute; in a source RPM the bare name. */
  readonly path: string;
  /** `st_mode`, type bits included. */
  readonly mode: number;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly user: string;
  readonly group: string;
  /** Hexadecimal, by the package's `fileDigestAlgorithm`; regular files only. */
  readonly digest?: string;
  readonly linkTarget?: string;
  /** As `cap_to_text(3)` prints them. */
  readonly capabilities?: string;
  /** `FILE_FLAG` bits. */
  readonly flags: number;
  /** RPMVERIFY_* bits of what `rpm -V` checks. */
  readonly verifyFlags: number;
  /** Files of a package with one `device` and `inode` are hard links of each other. */
  readonly device: number;
  readonly inode: number;
  readonly linkCount: number;
  /** Device number of device nodes, else 0. */
  readonly rdev: number;
  readonly language?: string;
  /** 1 for 32-bit, 2 for 64-bit ELF files, else 0. */
  readonly color: number;
  /** What libmagic says of the file. */
  readonly class?: string;
}

/** RPMFILE_* bits (rpm's include/rpm/rpmfiles.h). */
export const FILE_FLAG = {
  config: 1 << 0,
  doc: 1 << 1,
  missingOk: 1 << 3,
  noReplace: 1 << 4,
  spec: 1 << 5,
  ghost: 1 << 6,
  license: 1 << 7,
  readme: 1 << 8,
  artifact: 1 << 12,
} as const;

const TYPE_BITS = 0o170000;

export function isRegular({ mode }: { readonly mode: number }): boolean {
  return (mode & TYPE_BITS) === 0o100000;
}

export function isDirectory({ mode }: { readonly mode: number }): boolean {
  return (mode & TYPE_BITS) === 0o040000;
}

export function isSymbolicLink({ mode }: { readonly mode: number }): boolean {
  return (mode & TYPE_BITS) === 0o120000;
}

/** All files, in the header's order. @throws BuildError `RPM_MALFORMED` when the arrays don't fit each other. */
export function readFiles(tags: HeaderTags): RpmFileEntry[] {
  const paths = readPaths(tags);
  const integers = (tag: number) => column(tags, tags.integers(tag), tag, paths.length);
  const texts = (tag: number) => column(tags, tags.texts(tag), tag, paths.length);
  const columns = {
    mode: integers(RPM_TAG.FILEMODES),
    size: integers(tags.has(RPM_TAG.LONGFILESIZES) ? RPM_TAG.LONGFILESIZES : RPM_TAG.FILESIZES),
    mtime: integers(RPM_TAG.FILEMTIMES),
    flags: integers(RPM_TAG.FILEFLAGS),
    verifyFlags: integers(RPM_TAG.FILEVERIFYFLAGS),
    device: integers(RPM_TAG.FILEDEVICES),
    inode: integers(RPM_TAG.FILEINODES),
    rdev: integers(RPM_TAG.FILERDEVS),
    color: integers(RPM_TAG.FILECOLORS),
    classIndex: integers(RPM_TAG.FILECLASS),
    user: texts(RPM_TAG.FILEUSERNAME),
    group: texts(RPM_TAG.FILEGROUPNAME),
    digest: texts(RPM_TAG.FILEDIGESTS),
    linkTarget: texts(RPM_TAG.FILELINKTOS),
    capabilities: texts(RPM_TAG.FILECAPS),
    language: texts(RPM_TAG.FILELANGS),
  };
  const classes = tags.texts(RPM_TAG.CLASSDICT) ?? [];
  const linkCounts = countLinks(columns);
  return paths.map((path, index) => ({
    path,
    mode: columns.mode[index] ?? 0,
    size: columns.size[index] ?? 0,
    mtime: columns.mtime[index] ?? 0,
    user: columns.user[index] ?? 'root',
    group: columns.group[index] ?? 'root',
    ...text('digest', columns.digest[index]),
    ...text('linkTarget', columns.linkTarget[index]),
    ...text('capabilities', columns.capabilities[index]),
    flags: columns.flags[index] ?? 0,
    verifyFlags: columns.verifyFlags[index] ?? 0,
    device: columns.device[index] ?? 0,
    inode: columns.inode[index] ?? 0,
    linkCount: linkCounts[index] ?? 1,
    rdev: columns.rdev[index] ?? 0,
    ...text('language', columns.language[index]),
    color: columns.color[index] ?? 0,
    ...text('class', classes[columns.classIndex[index] ?? -1]),
  }));
}

function readPaths(tags: HeaderTags): string[] {
  const names = tags.texts(RPM_TAG.BASENAMES) ?? [];
  const directories = tags.texts(RPM_TAG.DIRNAMES) ?? [];
  const indexes = tags.integers(RPM_TAG.DIRINDEXES) ?? [];
  if (indexes.length !== names.length)
    throw malformed(tags.origin, `${names.length} file names and ${indexes.length} directory indexes`);
  return names.map((name, index) => {
    const directory = directories[indexes[index]!];
    if (directory === undefined)
      throw malformed(tags.origin, `the file '${name}' refers to directory ${indexes[index]} of ${directories.length}`);
    return directory + name;
  });
}

/** A tag that has one value per file; absent tags give no values. */
function column<T>(tags: HeaderTags, values: readonly T[] | undefined, tag: number, count: number): readonly T[] {
  if (values === undefined) return [];
  if (values.length !== count)
    throw malformed(tags.origin, `tag ${tag} has ${values.length} values for ${count} files`);
  return values;
}

/** rpm's own count (rpmfilesBuildNLink, lib/rpmfi.c): only regular files that are not ghosts have links. */
function countLinks({
  mode,
  flags,
  device,
  inode,
}: Record<'mode' | 'flags' | 'device' | 'inode', readonly number[]>): number[] {
  const keys = mode.map((value, index) =>
    isRegular({ mode: value }) && ((flags[index] ?? 0) & FILE_FLAG.ghost) === 0
      ? `${device[index]}:${inode[index]}`
      : undefined,
  );
  const counts = new Map<string, number>();
  for (const key of keys) if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  return keys.map((key) => (key === undefined ? 1 : counts.get(key)!));
}

function text<K extends string>(name: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { readonly [P in K]: string });
}
