/**
 * What a command uses stays. Each process that uses a store holds a lease from then on, and marks every object that it relies on with
 * the time; garbage collection removes only what was last used before the oldest lease began. While it removes, it is announced by a file:
 * who sees that after marking an object waits, and looks again whether the object is there.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { holdFileLock, isFileLocked, withFileLock, type Host } from '@kiln/host';

/** What the errors of a store say that can't be written, for lack of rights or of space: nobody collects garbage in it either. */
const UNWRITABLE = ['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT', 'LOCK_FAILED'];

/** By store directory: what this process holds. */
const leases = new Map<string, Promise<void>>();

/** Files of the leases, removed together when the process ends. */
const leaseFiles = new Set<string>();

/** Marks a file or a directory as used now; whether it is there. */
export async function use(host: Host, store: string, path: string): Promise<boolean> {
  if (!(await isThere(path))) return false;
  await lease(host, store);
  for (;;) {
    const found = await touch(host, path);
    if (!(await isThere(announcement(store)))) return found;
    await endOfCollection(host, store);
  }
}

/** Runs `collect` while nobody begins to use what was not in use before. @param collect gets the time before which nothing is in use. */
export async function whileAnnounced<T>(
  host: Host,
  store: string,
  collect: (unusedBefore: number) => Promise<T>,
): Promise<T> {
  return withFileLock(
    collectionLock(store),
    async () => {
      try {
        await writeFile(announcement(store), '');
        return await collect(await unusedBefore(host, store));
      } finally {
        await rm(announcement(store), { force: true });
      }
    },
    { signal: host.signal },
  );
}

/** Clocks are set back by seconds at times, and the times of files lag some milliseconds behind. */
const CLOCK_MILLISECONDS = 60_000;

/** Milliseconds since the epoch; leases whose process has gone are removed. */
async function unusedBefore(host: Host, store: string): Promise<number> {
  let oldest = host.now();
  for (const name of await readdir(leaseDirectory(store)).catch(() => [])) {
    const path = join(leaseDirectory(store), name);
    const begun = (await stat(path).catch(() => undefined))?.mtimeMs;
    if (begun === undefined) continue;
    if ((await isFileLocked(path)) === false) await rm(path, { force: true });
    else oldest = Math.min(oldest, begun);
  }
  return oldest - CLOCK_MILLISECONDS;
}

/** Makes the lease of this process, once; it ends with the process. */
export function lease(host: Host, store: string): Promise<void> {
  const known = leases.get(store);
  if (known !== undefined) return known;
  const made = makeLease(host, store).catch((error: unknown) => {
    leases.delete(store);
    if (!UNWRITABLE.includes((error as { code?: string }).code ?? '')) throw error;
  });
  leases.set(store, made);
  return made;
}

async function makeLease(host: Host, store: string): Promise<void> {
  await mkdir(leaseDirectory(store), { recursive: true });
  for (;;) {
    const path = join(leaseDirectory(store), `${process.pid}-${randomBytes(6).toString('hex')}`);
    await writeFile(path, '');
    await touch(host, path);
    await holdFileLock(path);
    // A collection that began before the lock was ours may have taken the lease for one of a process that has gone.
    if (!(await isThere(announcement(store)))) {
      removeAtExit(path);
      return;
    }
    await endOfCollection(host, store);
  }
}

/** One listener for all stores of the process, however many there are. */
function removeAtExit(path: string): void {
  if (leaseFiles.size === 0) process.once('exit', () => leaseFiles.forEach((one) => rmSync(one, { force: true })));
  leaseFiles.add(path);
}

async function endOfCollection(host: Host, store: string): Promise<void> {
  // Whoever has the lock knows that nobody collects: a file that is still there is of a process that was killed.
  await withFileLock(collectionLock(store), () => rm(announcement(store), { force: true }), {
    signal: host.signal,
    onWait: () =>
      host.emit({
        type: 'notice',
        severity: 'info',
        code: 'WAITING_FOR_LOCK',
        message: 'another run removes from the store what nobody needs; waiting for its end',
      }),
  });
}

/** Gives a file or directory the present time; whether it is there. */
export async function touch(host: Host, path: string): Promise<boolean> {
  const now = new Date(host.now());
  try {
    await utimes(path, now, now);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT' && (await isThere(path));
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function leaseDirectory(store: string): string {
  return join(store, 'leases');
}

function announcement(store: string): string {
  return join(store, 'collecting');
}

function collectionLock(store: string): string {
  return join(store, 'locks', 'collection');
}
