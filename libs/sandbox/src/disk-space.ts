/** The space that directories take on their disks, whatever was planted in them. */
import { statfsSync, statSync } from 'node:fs';
import type { Host } from '@kiln/host';
import { namelessFiles, type TreeSample } from './process-tree.ts';

/** A walk through everything that was written may take this part of the time. */
const WALK_SHARE = 0.02;
const LONGEST_WITHOUT_WALK = 30_000;

/**
 * Watches that what is written to some directories stays below a limit. Everything is walked through (du(1), which follows no
 * link) only when the limit may have been passed: when so much was written, or so much less is free; and now and then, because a
 * disk is shared with others who may free some. Files that processes removed and still use count too.
 */
export class DiskWatch {
  readonly #host: Host;
  readonly #directories: readonly string[];
  readonly #limit: number;
  #last: { at: number; took: number; taken: number; written: number; free: number };
  #walk: Promise<void> | undefined;

  constructor(host: Host, directories: readonly string[], limit: number) {
    this.#host = host;
    this.#directories = directories;
    this.#limit = limit;
    this.#last = { at: performance.now(), took: 0, taken: 0, written: 0, free: this.#free() };
  }

  /** Looks whether a walk is due; calls back with the space taken when it is more than the limit. */
  look({ writtenBytes: written, pids }: TreeSample, exceeded: (taken: number) => void): void {
    if (this.#directories.length === 0 || this.#walk !== undefined || !this.#isDue(written)) return;
    this.#walk = this.#taken(this.#nameless(pids))
      .then((taken) => {
        if (taken > this.#limit) exceeded(taken);
      })
      .finally(() => (this.#walk = undefined));
    const [at, free] = [performance.now(), this.#free()];
    void this.#walk.then(
      () => (this.#last = { ...this.#last, at: performance.now(), took: performance.now() - at, written, free }),
    );
  }

  /** Until a walk that is under way has ended. */
  async end(): Promise<void> {
    await this.#walk;
  }

  #isDue(written: number): boolean {
    const { at, took, taken } = this.#last;
    const since = performance.now() - at;
    if (since < took / WALK_SHARE) return false;
    const more = Math.max(written - this.#last.written, this.#last.free - this.#free());
    return taken + more > this.#limit || since > LONGEST_WITHOUT_WALK;
  }

  #free(): number {
    const disk = this.#directories[0];
    if (disk === undefined) return 0;
    const { bavail, bsize } = statfsSync(disk);
    return bavail * bsize;
  }

  #nameless(pids: readonly number[]): number {
    const devices = new Set(this.#directories.map((directory) => statSync(directory).dev));
    return namelessFiles(pids).reduce((sum, { device, bytes }) => sum + (devices.has(device) ? bytes : 0), 0);
  }

  async #taken(nameless: number): Promise<number> {
    const result = await this.#host
      .run({
        argv: ['du', '--summarize', '--one-file-system', '--block-size=1', '--total', '--', ...this.#directories],
        cwd: '/',
        environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      })
      .catch(() => undefined);
    // Files that vanish meanwhile make du fail; its total is right nevertheless.
    const taken = nameless + Number(/^(\d+)\ttotal$/m.exec(result?.stdout ?? '')?.[1] ?? 0);
    this.#last = { ...this.#last, taken };
    return taken;
  }
}
