/** System V shared memory of a run (sysvipc(7)): segments that nobody has attached belong to no process and to no file system. */
import type { Host } from '@kiln/host';

const INTERVAL = 1000;
/** Field of /proc/sysvipc/shm (ipc/shm.c, `sysvipc_shm_proc_show`). */
const RESIDENT_BYTES = 14;

/** Reads from time to time what lies in the ipc namespace of a run. */
export class SharedSegments {
  readonly #host: Host;
  #last = -INTERVAL;
  #reading: Promise<void> | undefined;
  #bytes = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** As last read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param outer a process in the user namespace above that of the run @param inner one in its ipc namespace */
  look({ outer, inner }: { readonly outer: number; readonly inner: number }): void {
    const now = performance.now();
    if (outer === 0 || inner === 0 || this.#reading !== undefined || now - this.#last < INTERVAL) return;
    this.#last = now;
    this.#reading = this.#read(outer, inner).finally(() => (this.#reading = undefined));
  }

  /** Until a reading that is under way has ended. */
  async end(): Promise<void> {
    await this.#reading;
  }

  async #read(outer: number, inner: number): Promise<void> {
    const namespaces = [`--user=/proc/${outer}/ns/user`, `--ipc=/proc/${inner}/ns/ipc`, '--preserve-credentials'];
    const result = await this.#host
      .run({
        argv: ['nsenter', ...namespaces, 'cat', '/proc/sysvipc/shm'],
        cwd: '/',
        environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      })
      .catch(() => undefined);
    // The run may have ended in the meantime.
    if (result?.status !== 0) return;
    const [, ...segments] = result.stdout.trim().split('\n');
    this.#bytes = segments.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[RESIDENT_BYTES] ?? 0), 0);
  }
}
