/** Locks between processes that the kernel releases when their holder dies. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { BuildError } from '@kiln/diagnostics';

export interface LockOptions {
  /** Called once when another process holds it. */
  readonly onWait?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * Holds an exclusive flock(2) on `path` while `work` runs.
 * @throws BuildError `LOCK_FAILED` when the lock can't be taken at all.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const lock = await takeFileLock(path, options);
  const stop = () => lock.kill();
  options.signal?.addEventListener('abort', stop);
  try {
    return await work();
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await lock.release();
  }
}

/**
 * Takes an exclusive flock(2) on `path` and keeps it until this process ends, however it ends; that doesn't keep it alive.
 * @throws BuildError `LOCK_FAILED`
 */
export async function holdFileLock(path: string, options: LockOptions = {}): Promise<void> {
  (await takeFileLock(path, options)).forget();
}

/** Whether somebody holds the lock; undefined when there is no such file. */
export async function isFileLocked(path: string): Promise<boolean | undefined> {
  // Status 66 is EX_NOINPUT: --no-fork and a missing file would otherwise make it.
  const child = spawn('sh', ['-c', 'exec flock --nonblock --conflict-exit-code 99 9 9< "$1"', 'sh', path], {
    stdio: 'ignore',
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status === 99) return true;
  return status === 0 ? false : undefined;
}

interface HeldLock {
  release(): Promise<void>;
  kill(): void;
  /** Nothing waits for it any more; it ends with the process. */
  forget(): void;
}

/** The lock lives in a `flock` child that ends with its standard input. */
async function takeFileLock(path: string, { onWait, signal }: LockOptions): Promise<HeldLock> {
  await mkdir(dirname(path), { recursive: true });
  const child = spawn('flock', ['--exclusive', path, 'cat'], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  child.stdin.on('error', () => undefined);
  // It comes back as soon as cat runs, which is when the lock is ours.
  child.stdin.write('locked\n');
  const closed = once(child, 'close').catch((error: unknown) => [error]);
  const lock: HeldLock = {
    async release() {
      child.stdin.end();
      await closed;
    },
    kill: () => void child.kill('SIGKILL'),
    forget() {
      child.unref();
      for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as Socket).unref();
    },
  };
  const waiting = setTimeout(() => onWait?.(), 300);
  const stop = () => lock.kill();
  signal?.addEventListener('abort', stop);
  try {
    const locked = once(child.stdout, 'data');
    const [first] = (await Promise.race([locked, closed])) as [unknown];
    signal?.throwIfAborted();
    if (!String(first).startsWith('locked')) {
      throw new BuildError('LOCK_FAILED', `the lock ${path} can't be taken`, {
        hint: 'check that its directory is writable and that the program `flock` (util-linux) is installed',
      });
    }
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  } finally {
    clearTimeout(waiting);
    signal?.removeEventListener('abort', stop);
  }
}
