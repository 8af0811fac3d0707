/** What xfs_db says of an XFS file system. */
import { LIST_INODES } from '../src/xfs-commands.ts';

/** A script of the image tools: prints its inodes, and then all fields of each. @param image file with the file system */
export const readXfsScript = (image: string): string => `
xfs_db -r ${LIST_INODES} ${image} > /tmp/inodes
sed -En 's/^(rootino = | *)([0-9]+).*/echo ==\\ninode \\2\\nprint/p' /tmp/inodes > /tmp/read
sed 's/^rootino = /0 /' /tmp/inodes
xfs_db -r -c 'source /tmp/read' ${image}
`;

/** Fields of an inode as xfs_db calls them, and `extents`: `0:[0,13,1,0] 1:[…`. */
export type XfsInode = Readonly<Record<string, string>>;

/** Reads what the script printed: path → inode; of several names of a file one. */
export function parseXfs(text: string): Map<string, XfsInode> {
  const [list, ...prints] = text.split(/^== *\n/m);
  const paths = list!
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replace(/^\d+ /, '').replace(/\/\.$/, ''));
  return new Map(
    prints.map((print, index): [string, XfsInode] => {
      const fields = [...print.matchAll(/^(\S+) = (.*)$/gm)].map(([, name, value]) => [name!, value!]);
      const extents = /^0:\[.*$/m.exec(print)?.[0] ?? '';
      return [index === 0 ? '' : paths[index]!, { ...(Object.fromEntries(fields) as XfsInode), extents }];
    }),
  );
}
