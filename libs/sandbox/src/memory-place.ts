/** A directory in memory for work that makes many files and removes them soon: disks take long for that, above all when others use them too. */
import { lstat, mkdir, readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** The file system in memory that every user of a Linux system may write to. */
const MEMORY = '/dev/shm';

/** The free memory that work may take. */
const SHARE = 0.25;

/** Our own place there, when it exists: everybody can make a directory with such a name. */
export async function existingMemoryPlace(): Promise<string | undefined> {
  const found = await lstat(ownPlace()).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid!() ? ownPlace() : undefined;
}

/** A directory with room for so many bytes; undefined when that is too much of the free memory, or programs can't run there. */
export async function memoryPlace(bytes: number): Promise<string | undefined> {
  if (!(await isUsable())) return undefined;
  const { bavail, bsize } = await statfs(MEMORY);
  if (bytes > Math.min(bavail * bsize, process.availableMemory()) * SHARE) return undefined;
  await mkdir(ownPlace(), { mode: 0o755 }).catch(() => undefined);
  return existingMemoryPlace();
}

function ownPlace(): string {
  return join(MEMORY, `kiln-${process.getuid!()}`);
}

/** Whether it is in memory at all, and programs may run there. */
async function isUsable(): Promise<boolean> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  const fields = mounts.split('\n').map((line) => line.split(' '));
  const [, , type, options = ''] = fields.findLast(([, target]) => target === MEMORY) ?? [];
  return type === 'tmpfs' && !options.split(',').some((option) => ['noexec', 'ro'].includes(option));
}
