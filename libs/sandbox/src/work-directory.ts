/** Directories that builds write to: under the store's `work/` or in memory, owned by the build user. */
import { chmod, chown, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type BuildUser, type Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import { existingMemoryPlace } from './memory-place.ts';
import { RUN_PREFIX, runInIdNamespace } from './run-sandboxed.ts';

const reachable = new WeakMap<Host, Set<string>>();

/**
 * A new empty directory that the build user may write to; `name` is for people who look at it.
 * @param place where it is made, `work/` of the store when it is missing
 * @throws BuildError `STORE_UNREACHABLE` when the build user can't enter the store.
 */
export async function makeWorkDirectory(
  host: Host,
  store: Store,
  name: string,
  place: string = join(store.directory, 'work'),
): Promise<string> {
  const directory = join(place, `${name}-${process.pid}-${randomBytes(4).toString('hex')}`);
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o755);
  await checkStoreReachable(host, store);
  await giveToBuildUser(await buildUser(host), directory);
  return directory;
}

/**
 * Removes a work directory with everything in it, also what belongs to subordinate ids or has no permissions.
 * @throws BuildError `WORK_NOT_REMOVED`
 */
export async function removeWorkDirectory(host: Host, directory: string): Promise<void> {
  // What belongs to others goes first; what stays is our own.
  await runInIdNamespace(host, ['find', directory, '-mindepth', '1', '-delete']);
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (cause) {
    throw new BuildError(
      'WORK_NOT_REMOVED',
      `the directory ${directory} can't be removed: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Removes what earlier runs left in `work/` and `tmp/` of the store, and in another place, when they were killed: names carry the id of their process. */
export async function sweepWorkDirectories(host: Host, store: Store, ...more: readonly string[]): Promise<void> {
  await sweepRuns();
  const own = ['work', 'tmp'].map((name) => join(store.directory, name));
  const inMemory = await existingMemoryPlace();
  for (const place of [...own, ...(inMemory === undefined ? [] : [inMemory]), ...more]) {
    const names = await readdir(place).catch(() => []);
    for (const name of names) {
      const pid = Number(/-(\d+)-[0-9a-f]+$/.exec(name)?.[1]);
      if (Number.isInteger(pid) && pid > 0 && !isAlive(pid)) await removeWorkDirectory(host, join(place, name));
    }
  }
}

/** What runs left in the directory for temporary files when their Kiln was killed; of other users nothing is ours to remove. */
async function sweepRuns(): Promise<void> {
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const pid = name.startsWith(RUN_PREFIX) ? Number(/^(\d+)-/.exec(name.slice(RUN_PREFIX.length))?.[1]) : 0;
    if (pid > 0 && !isAlive(pid))
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Makes sure that the build user can read the store.
 * @throws BuildError `STORE_UNREACHABLE`
 */
export async function checkStoreReachable(host: Host, store: Store): Promise<void> {
  const checked = reachable.get(host) ?? new Set();
  reachable.set(host, checked);
  if (checked.has(store.directory)) return;
  await mkdir(join(store.directory, 'work'), { recursive: true });
  const user = await buildUser(host);
  await openToBuildUserAlone(store.directory, user);
  const work = join(store.directory, 'work', '.');
  const argv = [...user.prefix, 'test', '-r', work, '-a', '-x', work];
  const probe = await host.run({ argv: argv as [string, ...string[]], cwd: '/' });
  if (probe.status !== 0) {
    throw new BuildError(
      'STORE_UNREACHABLE',
      `the build user '${user.name}' can't reach the store ${store.directory}`,
      {
        hint: 'let KILN_STORE name a directory whose parents everybody may enter (mode o+x), for example /var/cache/kiln',
      },
    );
  }
  checked.add(store.directory);
}

/**
 * Trees and layers hold what builds made, also programs with set-user-id bits of the build user: nobody else may get at them. A store
 * that root just made may be closed to the build user. Its parents are not ours to change.
 */
async function openToBuildUserAlone(directory: string, user: BuildUser): Promise<void> {
  const { mode, uid, gid } = await stat(directory);
  const isOurs = uid === process.getuid?.();
  if (!isOurs) return;
  if (user.prefix.length > 0 && gid !== user.gid) await chown(directory, uid, user.gid);
  const wanted = user.prefix.length > 0 ? 0o750 : 0o700;
  if ((mode & 0o777) !== wanted) await chmod(directory, wanted);
}
