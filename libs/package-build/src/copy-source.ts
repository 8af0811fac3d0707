/** A source file comes into the build as what the request says that it is. */
import { constants } from 'node:fs';
import { chmod, copyFile, rm } from 'node:fs/promises';
import { BuildError } from '@kiln/diagnostics';
import { digestFile } from '@kiln/store';
import type { BuildFile } from './build-package.ts';

/**
 * Copies the file to `copy` and looks at what was copied: people edit files beside a spec while a build waits for its turn, and the
 * result would be kept under the digest of the old one.
 * @throws BuildError `SOURCE_CHANGED` for other content, or when the file is gone.
 */
export async function copySource({ name, path, sha256 }: BuildFile, copy: string): Promise<void> {
  try {
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw changed(name, 'removed');
    throw error;
  }
  await chmod(copy, 0o644);
  if ((await digestFile(copy)) === sha256) return;
  await rm(copy);
  throw changed(name, 'changed');
}

function changed(name: string, what: string): BuildError {
  return new BuildError('SOURCE_CHANGED', `the source file ${name} was ${what} after the build had been planned`, {
    hint: 'run the same command again',
  });
}
