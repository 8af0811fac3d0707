/** What mkfs.xfs leaves out of an XFS file system, as commands of xfs_db(8). Pure. */
import { BuildError } from '@kiln/diagnostics';
import { hasLateTarget, type LateName, type XfsFile, type XfsPlan } from './xfs-tree.ts';
import type { FileLabel } from './selinux-labels.ts';

/** Prints the root's inode and then that of each path. */
export const LIST_INODES = "-c 'sb 0' -c 'print rootino' -c 'blockget -n' -c ncheck";

/** What xfs_db says of a change that it made; it says nothing else, and its status doesn't tell of commands that failed. */
export const XFS_CHANGE = '^(core\\.mode|core\\.mtime\\.sec|u3\\.symlink) = ';

/** Reads what `LIST_INODES` printed: made path → number. @throws BuildError `IMAGE_FILE_SYSTEM_FAILED` */
export function parseInodes(text: string): Map<string, string> {
  const inodes = new Map<string, string>();
  for (const line of text.split('\n').slice(0, -1)) {
    const [, root, inode, path] = /^(?:rootino = (\d+)| *(\d+) (.+?)(?:\/\.)?)$/s.exec(line) ?? [];
    if (root === undefined && inode === undefined)
      throw new BuildError('IMAGE_FILE_SYSTEM_FAILED', `xfs_db listed inodes in a way that is not known: ${line}`);
    inodes.set(path ?? '', root ?? inode!);
  }
  return inodes;
}

/** Nanoseconds from the first second of 32 bits, which is in 1901 (libxfs/xfs_format.h, bigtime). */
const TIME_OFFSET = 2n ** 31n * 1_000_000_000n;

/** Type bits of inode(7). */
const TYPES: Readonly<Record<string, number>> = { f: 0o10_0000, d: 0o4_0000, l: 0o12_0000, p: 0o1_0000 };

/**
 * Names and labels first, since they change times. A time that is written has the whole of its 64 bits in its first field.
 * @param labels with paths in the file system
 * @throws BuildError `IMAGE_FILE_SYSTEM_FAILED` when a file wasn't made, or there is none for a label
 */
export function xfsCommands(plan: XfsPlan, inodes: ReadonlyMap<string, string>, labels: readonly FileLabel[]): string {
  const inodeAt = (madePath: string): string => {
    const inode = inodes.get(madePath);
    if (inode !== undefined) return inode;
    throw new BuildError('IMAGE_FILE_SYSTEM_FAILED', `mkfs.xfs made no ${JSON.stringify(madePath)}`);
  };
  const inodeOf = new Map(plan.made.map(({ file, madePath }) => [file.identity, inodeAt(madePath)]));
  const commands = plan.lateNames.flatMap((late) => nameCommands(late, inodeAt(late.madeDirectory), inodeOf));
  for (const { path, label } of labels) {
    const identity = plan.identities.get(Buffer.from(path.slice(1)).toString('latin1'));
    if (identity === undefined)
      throw new BuildError('IMAGE_FILE_SYSTEM_FAILED', `there is no ${JSON.stringify(path)} to label`);
    commands.push(`inode ${inodeOf.get(identity)}`, `attr_set -s selinux ${label}`);
  }
  for (const { file } of plan.made) commands.push(`inode ${inodeOf.get(file.identity)}`, ...inodeCommands(file));
  return commands.map((command) => `${command}\n`).join('');
}

function nameCommands(
  { file, name, standIn }: LateName,
  directory: string,
  inodeOf: ReadonlyMap<string, string>,
): string[] {
  const link = [`inode ${directory}`, `link -i ${inodeOf.get(file.identity)} -- ${name}`];
  return standIn === undefined ? link : [...link, `unlink -- ${standIn}`];
}

function inodeCommands(file: XfsFile): string[] {
  const { type, mode, modified, target } = file;
  const bytes = [...target].map((byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return [
    `write core.mode 0${(TYPES[type]! | mode).toString(8)}`,
    `write core.mtime.sec ${modified + TIME_OFFSET}`,
    ...(type === 'l' && hasLateTarget(file) ? [`write u3.symlink "${bytes.join('')}"`] : []),
  ];
}
