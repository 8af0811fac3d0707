/** A download that ends because the disk is full: another place would not help. */
import { statfsSync } from 'node:fs';
import { BuildError } from '@kiln/diagnostics';

/** Bytes; what other processes leave free by chance holds no file either. */
const NO_SPACE = 1_000_000;

/** Whether there is no space for the build user, who writes downloads. */
export function isDiskFull(directory: string): boolean {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize < NO_SPACE;
}

export function diskFull(directory: string): BuildError {
  return new BuildError('DISK_FULL', `no space left for downloads in ${directory}`, {
    hint: 'free some space or point KILN_STORE at a larger disk, then run the same command again',
  });
}
