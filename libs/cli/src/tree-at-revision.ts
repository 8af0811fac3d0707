/** The files of a workspace as they were at a git revision, beside the work tree: nothing in it is touched. */
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';

/**
 * Calls `use` with a temporary directory that holds the tree and is removed afterwards.
 * @throws BuildError `REVISION_UNREADABLE`.
 */
export async function withTreeAt<T>(
  host: Host,
  { root, revision }: { readonly root: string; readonly revision: string },
  use: (tree: string) => T | Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'kiln-tree-'));
  try {
    const [archive, tree] = [join(directory, 'tree.tar'), join(directory, 'tree')];
    await mkdir(tree);
    const verified = await host.run({
      argv: ['git', 'rev-parse', '--verify', '--quiet', `${revision}^{commit}`],
      cwd: root,
    });
    if (verified.status !== 0) throw unreadable(revision, verified.stderr || 'git knows no such commit');
    const archived = await host.run({
      argv: ['git', 'archive', `--output=${archive}`, verified.stdout.trim()],
      cwd: root,
    });
    if (archived.status !== 0) throw unreadable(revision, archived.stderr);
    const unpacked = await host.run({ argv: ['tar', '-xf', archive, '-C', tree] });
    if (unpacked.status !== 0) throw unreadable(revision, unpacked.stderr);
    return await use(tree);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function unreadable(revision: string, reason: string): BuildError {
  return new BuildError('REVISION_UNREADABLE', `the revision '${revision}' can't be read: ${reason.trim()}`, {
    hint: 'name a commit, a branch or a tag of this repository; a shallow clone may need `git fetch --unshallow`',
  });
}
