/** Copying a file so that its holes stay holes: disks of virtual machines are mostly that. */
import { constants, copyFile, stat } from 'node:fs/promises';
import type { Host } from '@kiln/host';

const BYTES_PER_STAT_BLOCK = 512;

/**
 * Shares the data where the file system can (reflink); `to` must not be there, or is replaced.
 * @throws Error with `code` `ENOSPC` when the disk is full
 */
export async function copySparse(host: Host, from: string, to: string): Promise<void> {
  const { size, blocks } = await stat(from);
  if (blocks * BYTES_PER_STAT_BLOCK >= size) return copyFile(from, to, constants.COPYFILE_FICLONE);
  // Node can't ask where holes are: it would read all of them.
  const { status, stderr } = await host.run({
    argv: ['cp', '--reflink=auto', '--sparse=auto', '--', from, to],
    cwd: '/',
    environment: { PATH: host.environment['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
  });
  if (status === 0) return;
  const code = stderr.includes('No space left on device') ? 'ENOSPC' : 'EIO';
  throw Object.assign(new Error(stderr.trim()), { code });
}
