/** Copying a file so that its holes stay holes: disks of virtual machines are mostly that. */
import { constants, copyFile, open, stat } from 'node:fs/promises';

const BLOCK = 1024 * 1024;
const BYTES_PER_STAT_BLOCK = 512;

/** Shares the data where the file system can (reflink); `to` must not be there, or is replaced. */
export async function copySparse(from: string, to: string): Promise<void> {
  const { size, blocks } = await stat(from);
  if (blocks * BYTES_PER_STAT_BLOCK >= size) return copyFile(from, to, constants.COPYFILE_FICLONE);
  try {
    return await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    return copyBlocks(from, to, size);
  }
}

async function copyBlocks(from: string, to: string, size: number): Promise<void> {
  const zeros = Buffer.alloc(BLOCK);
  const buffer = Buffer.alloc(BLOCK);
  const source = await open(from, 'r');
  try {
    const target = await open(to, 'w');
    try {
      for (let at = 0; at < size;) {
        const { bytesRead } = await source.read(buffer, 0, BLOCK, at);
        if (bytesRead === 0) break;
        const block = buffer.subarray(0, bytesRead);
        if (!block.equals(zeros.subarray(0, bytesRead))) await target.write(block, 0, bytesRead, at);
        at += bytesRead;
      }
      await target.truncate(size);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
