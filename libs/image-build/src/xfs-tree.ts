/** What an XFS file system is made of: the files of a directory, and the protofile of mkfs.xfs(8) that makes most of them. Pure. */
import { BuildError } from '@kiln/diagnostics';

/** For find's -printf, of a directory and all below it: NUL-separated fields. */
export const XFS_SCAN_FORMAT = String.raw`%y\0%m\0%U\0%G\0%T@\0%D:%i\0%b\0%s\0%l\0%P\0`;
const FIELDS = 10;

/** A file to be in the file system; texts have a character for each byte. */
export interface XfsFile {
  /** Without a slash in front; of the top directory empty. */
  readonly path: string;
  /** find's letter. */
  readonly type: string;
  /** Permissions with the bits for set-id and stickiness. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the last change of its content, in ns since 1970. */
  readonly modified: bigint;
  /** Names of one file have the same one. */
  readonly identity: string;
  /** It has holes; where these are depends on the file system that it is read from. */
  readonly isSparse: boolean;
  readonly target: string;
}

/** Parses what find printed by `XFS_SCAN_FORMAT`; in the order of the paths' bytes. @throws BuildError `ROOT_SCAN_FAILED` */
export function parseXfsScan(text: string): XfsFile[] {
  const fields = text.split('\0').slice(0, -1);
  if (fields.length % FIELDS !== 0)
    throw new BuildError('ROOT_SCAN_FAILED', `find printed ${fields.length} fields, not a multiple of ${FIELDS}`);
  const files: XfsFile[] = [];
  for (let at = 0; at < fields.length; at += FIELDS) {
    const values = fields.slice(at, at + FIELDS) as [string, ...string[]];
    const [type, mode, uid, gid, time, identity, blocks, size, target, path] = values;
    const [seconds, fraction = ''] = time!.split('.');
    files.push({
      path: path!,
      type,
      mode: Number.parseInt(mode!, 8),
      uid: Number(uid),
      gid: Number(gid),
      // Before 1970 too, find prints what is added to the whole seconds.
      modified: BigInt(seconds!) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0')),
      identity: identity!,
      isSparse: type === 'f' && Number(blocks) * 512 < Number(size),
      target: target!,
    });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A name that a file gets when the file system is there. */
export interface LateName {
  readonly file: XfsFile;
  /** Path that mkfs.xfs makes of its directory. */
  readonly madeDirectory: string;
  readonly name: string;
  /** What mkfs.xfs calls it until then; absent for a further name of a file. */
  readonly standIn?: string;
}

/** How a file system is made, in two steps. */
export interface XfsPlan {
  readonly protofile: string;
  /** Paths of files whose content mkfs.xfs reads from copies, which are called by their place in this list. */
  readonly copied: readonly string[];
  /** Every file once. */
  readonly made: readonly MadeFile[];
  readonly lateNames: readonly LateName[];
  /** Of every path. */
  readonly identities: ReadonlyMap<string, string>;
}

export interface MadeFile {
  readonly file: XfsFile;
  /** Path that mkfs.xfs makes. */
  readonly madePath: string;
}

export interface XfsPlaces {
  /** Directory of the files. */
  readonly content: string;
  /** Directory of the copies. */
  readonly copies: string;
}

/**
 * Plans by what xfsprogs 6.13 can do (mkfs/proto.c, db/namei.c, db/input.c). With `slashes_are_spaces` a name may have spaces. Modes are left out of
 * the protofile: it has no sticky bit, and directories in one with the set-group-id bit get that bit too.
 * @throws BuildError `IMAGE_FILE_IMPOSSIBLE` for a file that can't be made
 */
export function planXfs(files: readonly XfsFile[], places: XfsPlaces): XfsPlan {
  const planner = new XfsPlanner(files, places);
  planner.add(files[0]!, '');
  const { lines, copied, made, lateNames } = planner;
  const identities = new Map(files.map(({ path, identity }) => [path, identity]));
  return { protofile: `-\n0 0\n${lines.join('\n')}\n`, copied, made, lateNames, identities };
}

/** Letters of mkfs.xfs(8). */
const PROTOFILE_TYPES: Readonly<Record<string, string>> = { f: '-', d: 'd', l: 'l', p: 'p' };

/** Room for a link's target in an inode of 512 bytes. */
const INLINE_TARGET = 336;

class XfsPlanner {
  readonly lines: string[] = [];
  readonly copied: string[] = [];
  readonly made: MadeFile[] = [];
  readonly lateNames: LateName[] = [];
  readonly #places: XfsPlaces;
  readonly #inDirectory = new Map<string, XfsFile[]>();
  /** Identity → the name that mkfs.xfs makes. */
  readonly #first = new Map<string, XfsFile>();

  constructor(files: readonly XfsFile[], places: XfsPlaces) {
    this.#places = places;
    for (const file of files) {
      const { directory, name } = splitPath(file.path);
      if (file.type === 'd') this.#inDirectory.set(file.path, []);
      if (file.path !== '') this.#inDirectory.get(directory)!.push(file);
      const known = this.#first.get(file.identity);
      if (known === undefined || (canBeLate(splitPath(known.path).name) && !canBeLate(name)))
        this.#first.set(file.identity, file);
    }
  }

  /** @param madeDirectory path that mkfs.xfs makes of its directory */
  add(file: XfsFile, madeDirectory: string): void {
    const { name } = splitPath(file.path);
    const first = this.#first.get(file.identity)!;
    if (first !== file) return this.#addLateName({ file: first, madeDirectory, name }, file.path);
    const standIn = name.startsWith(':') || name === '$' ? `kiln-name-${this.lateNames.length}` : undefined;
    if (standIn !== undefined) this.#addLateName({ file, madeDirectory, name, standIn }, file.path);
    if (/[\t\n]/.test(name)) throw impossibleFile(file.path, 'its name has a tabulator or a line break');
    const madePath = joinPath(madeDirectory, standIn ?? name);
    this.made.push({ file, madePath });
    const words = [(standIn ?? name).replaceAll(' ', '/'), ...this.#description(file)];
    this.lines.push(words.filter((word) => word !== '').join(' '));
    if (file.type !== 'd') return;
    for (const one of this.#inDirectory.get(file.path)!) this.add(one, madePath);
    this.lines.push('$');
  }

  #addLateName(late: LateName, path: string): void {
    if (!canBeLate(late.name))
      throw impossibleFile(
        path,
        'no command of xfs_db makes this name, and mkfs.xfs makes it for the first name alone',
      );
    this.lateNames.push(late);
  }

  #description({ type, path, uid, gid, target, isSparse }: XfsFile): string[] {
    const letter = PROTOFILE_TYPES[type];
    if (letter === undefined) throw impossibleFile(path, 'it is a device or a socket');
    const words = [`${letter}--000`, String(uid), String(gid)];
    if (type === 'l') words.push(hasLateTarget({ path, target }) ? 'x'.repeat(target.length) : target);
    if (type !== 'f') return words;
    const source = joinPath(this.#places.content, path);
    if (!isSparse && !isMisread(source)) return [...words, source];
    this.copied.push(path);
    return [...words, `${this.#places.copies}/${this.copied.length - 1}`];
  }
}

/** Whether a link's target is written when the file system is there. @throws BuildError `IMAGE_FILE_IMPOSSIBLE` */
export function hasLateTarget({ path, target }: Pick<XfsFile, 'path' | 'target'>): boolean {
  if (!isMisread(target)) return false;
  if (target.length > INLINE_TARGET)
    throw impossibleFile(path, 'its target has spaces, and is too long to be in the inode');
  return true;
}

/** Whether a command of xfs_db can make the name: white space ends its words, and a line goes on after a backslash. */
function canBeLate(name: string): boolean {
  return !/[ \t\n]|\\$/.test(name);
}

/** Words of a protofile end at white space, and a colon in front makes them a comment. Slashes stand for the spaces of names alone. */
function isMisread(word: string): boolean {
  return word.startsWith(':') || /[ \t\n]/.test(word);
}

/** @param path with a character for each byte, without a slash in front */
export function impossibleFile(path: string, why: string): BuildError {
  const name = JSON.stringify(`/${Buffer.from(path, 'latin1').toString()}`);
  const hint = 'leave the file out, or use ext4';
  return new BuildError('IMAGE_FILE_IMPOSSIBLE', `${name} can't be in an XFS file system: ${why}`, { hint });
}

function splitPath(path: string): { readonly directory: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { directory: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}

function joinPath(directory: string, name: string): string {
  return directory === '' || name === '' ? `${directory}${name}` : `${directory}/${name}`;
}
