/** Whether a file of the workspace is really in it: reading a tree must not show what lies beside it. */
import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';

/** `path` is relative to `root` and exists. Links are followed. */
export function isInside(root: string, path: string): boolean {
  return realpathSync(join(root, path)).startsWith(realpathSync(root) + sep);
}
