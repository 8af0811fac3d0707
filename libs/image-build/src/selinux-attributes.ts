/** How labels get into a file system of the ext family: as commands of debugfs(8), since mke2fs takes no such attributes from files. */
import { BuildError } from '@kiln/diagnostics';
import type { RootLabels } from './selinux-labels.ts';

/** The part of a root that a file system has. */
export interface LabelledTree {
  /** Where it is mounted. */
  readonly point: string;
  /** Mount points below, whose content others have. */
  readonly hidden: readonly string[];
}

/**
 * One command for each file of the tree, with its path in the file system.
 * @throws BuildError `IMAGE_LABEL_IMPOSSIBLE` for a path that no command can name
 */
export function labelCommands({ files, ofDirectory }: RootLabels, { point, hidden }: LabelledTree): string {
  const below = files
    .filter(({ path }) => isBelow(path, point) && !hidden.some((other) => path !== other && isBelow(path, other)))
    .map(({ path, label }) => ({ path: point === '/' ? path : path.slice(point.length) || '/', label }));
  // mke2fs makes it.
  const lost = ofDirectory(`${point === '/' ? '' : point}/lost+found`);
  return [...below, ...(lost === undefined ? [] : [{ path: '/lost+found', label: lost }])]
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
