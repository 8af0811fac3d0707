/** Locks between processes that the kernel releases when their holder dies. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { once } from 'node:events';
import { BuildError } from '@kiln/diagnostics';

/**
 * Holds an exclusive flock(2) on `path` while `work` runs; the lock lives in a `flock` child that ends with its standard input.
 * `onWait` is called once when another process holds it.
 * @throws BuildError `LOCK_FAILED` when the lock can't be taken at all.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { readonly onWait?: () => void; readonly signal?: AbortSignal } = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const child = spawn('flock', ['--exclusive', path, 'cat'], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  child.stdin.on('error', () => undefined);
  // It comes back as soon as cat runs, which is when the lock is ours.
  child.stdin.write('locked\n');
  const closed = once(child, 'close').catch((error: unknown) => [error]);
  const waiting = setTimeout(() => options.onWait?.(), 300);
  const stop = () => child.kill('SIGKILL');
  options.signal?.addEventListener('abort', stop);
  try {
    const locked = once(child.stdout, 'data');
    const [first] = (await Promise.race([locked, closed])) as [unknown];
    options.signal?.throwIfAborted();
    if (!String(first).startsWith('locked')) {
      throw new BuildError('LOCK_FAILED', `the lock ${path} can't be taken`, {
        hint: 'check that its directory is writable and that the program `flock` (util-linux) is installed',
      });
    }
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    options.signal?.removeEventListener('abort', stop);
    child.stdin.end();
    await closed;
  }
}
