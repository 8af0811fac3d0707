/** Which labels a file system gets; into the ext family as commands of debugfs(8), since mke2fs takes no such attributes from files. */
import { BuildError } from '@kiln/diagnostics';
import type { FileLabel, RootLabels } from './selinux-labels.ts';

/** The part of a root that a file system has. */
export interface LabelledTree {
  /** Where it is mounted. */
  readonly point: string;
  /** Mount points below, whose content others have. */
  readonly hidden: readonly string[];
}

/** Those of the files of a tree, with their paths in the file system. */
export function labelledFiles({ files }: RootLabels, { point, hidden }: LabelledTree): FileLabel[] {
  return files
    .filter(({ path }) => isBelow(path, point) && !hidden.some((other) => path !== other && isBelow(path, other)))
    .map(({ path, label }) => ({ path: point === '/' ? path : path.slice(point.length) || '/', label }));
}

/**
 * One command for each file of the tree.
 * @throws BuildError `IMAGE_LABEL_IMPOSSIBLE` for a path that no command can name
 */
export function labelCommands(labels: RootLabels, tree: LabelledTree): string {
  // mke2fs makes it.
  const lost = labels.ofDirectory(`${tree.point === '/' ? '' : tree.point}/lost+found`);
  return [...labelledFiles(labels, tree), ...(lost === undefined ? [] : [{ path: '/lost+found', label: lost }])]
    .map(({ path, label }) => {
      if (/[\n\0]/.test(path))
        throw new BuildError(
          'IMAGE_LABEL_IMPOSSIBLE',
          `${JSON.stringify(path)} can't be labelled: its name has a line break`,
        );
      return `ea_set "${path.replaceAll('"', '""')}" security.selinux "${label}"\n`;
    })
    .join('');
}

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}
