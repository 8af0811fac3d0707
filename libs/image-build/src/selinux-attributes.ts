/** Which labels a file system gets, in the form that its makers take: none reads such attributes from the files, which have none. */
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
 * For the ext family: one command of debugfs(8) for each file of the tree.
 * @throws BuildError `IMAGE_LABEL_IMPOSSIBLE` for a path that no command can name
 */
export function labelCommands(labels: RootLabels, tree: LabelledTree): string {
  // mke2fs makes it.
  const lost = labels.ofDirectory(`${tree.point === '/' ? '' : tree.point}/lost+found`);
  return [...labelledFiles(labels, tree), ...(lost === undefined ? [] : [{ path: '/lost+found', label: lost }])]
    .map(({ path, label }) => `ea_set "${onOneLine(path).replaceAll('"', '""')}" security.selinux "${label}"\n`)
    .join('');
}

/** For squashfs: definitions of mksquashfs(1), `path x name=value`. @throws BuildError `IMAGE_LABEL_IMPOSSIBLE` */
export function labelDefinitions(labels: RootLabels, tree: LabelledTree): string {
  return labelledFiles(labels, tree)
    .map(({ path, label }) => {
      const quoted = onOneLine(path).replaceAll(/["\\]/g, (sign) => `\\${sign}`);
      return `"${quoted}" x security.selinux=${label}\n`;
    })
    .join('');
}

/** For erofs: a policy of its own (selabel_file(5)), in which each file has its label; whatever isn't named has none. @throws BuildError `IMAGE_LABEL_IMPOSSIBLE` */
export function labelContexts(labels: RootLabels, tree: LabelledTree): string {
  const lines = labelledFiles(labels, tree).map(({ path, label }) => {
    const expression = onOneLine(path).replaceAll(/[^A-Za-z0-9_/-]/gu, (sign) =>
      /\s/.test(sign) ? `\\x{${sign.codePointAt(0)!.toString(16)}}` : sign.codePointAt(0)! < 0x80 ? `\\${sign}` : sign,
    );
    return `${expression} ${label}\n`;
  });
  return ['.* <<none>>\n', ...lines].join('');
}

function onOneLine(path: string): string {
  if (!/[\n\0]/.test(path)) return path;
  throw new BuildError(
    'IMAGE_LABEL_IMPOSSIBLE',
    `${JSON.stringify(path)} can't be labelled: its name has a line break`,
  );
}

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}
