/** The space that directories take on their disks, whatever was planted in them. */
import { statfsSync, statSync } from 'node:fs';
import type { Host } from '@kiln/host';
import { namelessFiles, type TreeSample } from './process-tree.ts';

/** A walk through everything that was written may take this part of the time. */
const WALK_SHARE = 0.02;
const LONGEST_WITHOUT_WALK = 30_000;

/** Of a whole disk. */
interface Space {
  readonly freeBytes: number;
  readonly freeInodes: number;
  readonly usedInodes: number;
  /** Its bytes for each of its inodes; 0 where their number is not fixed. */
  readonly inodeBytes: number;
}

/**
 * Watches that what is written to some directories stays below a limit. Everything is walked through (du(1), which follows no
 * link) only when the limit may have been passed: when so much was written, or so much less is free; and now and then, because a
 * disk is shared with others who may free some. Files that processes removed and still use count too. A file takes no less than its
 * share of the disk's inodes, so that files without content fill no disk either.
 */
export class DiskWatch {
  readonly #host: Host;
  readonly #directories: readonly string[];
  readonly #limit: number;
  #last: { at: number; took: number; taken: number; written: number; space: Space };
  #walk: Promise<void> | undefined;

  constructor(host: Host, directories: readonly string[], limit: number) {
    this.#host = host;
    this.#directories = directories;
    this.#limit = limit;
    this.#last = { at: performance.now(), took: 0, taken: 0, written: 0, space: this.#space() };
  }

  /** Looks whether a walk is due; calls back with the space taken when it is more than the limit. */
  look({ writtenBytes: written, pids }: TreeSample, exceeded: (taken: number) => void): void {
    if (this.#directories.length === 0 || this.#walk !== undefined || !this.#isDue(written)) return;
    this.#walk = this.#taken(this.#nameless(pids))
      .then((taken) => {
        if (taken > this.#limit) exceeded(taken);
      })
      .finally(() => (this.#walk = undefined));
    const [at, space] = [performance.now(), this.#space()];
    void this.#walk.then(
      () => (this.#last = { ...this.#last, at: performance.now(), took: performance.now() - at, written, space }),
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
    const { freeBytes, freeInodes, inodeBytes } = this.#space();
    const before = this.#last.space;
    const more = Math.max(
      written - this.#last.written,
      before.freeBytes - freeBytes,
      (before.freeInodes - freeInodes) * inodeBytes,
    );
    return taken + more > this.#limit || since > LONGEST_WITHOUT_WALK;
  }

  #space(): Space {
    const disk = this.#directories[0];
    if (disk === undefined) return { freeBytes: 0, freeInodes: 0, usedInodes: 0, inodeBytes: 0 };
    const { bavail, bsize, blocks, files, ffree } = statfsSync(disk);
    const inodeBytes = files === 0 ? 0 : (blocks * bsize) / files;
    return { freeBytes: bavail * bsize, freeInodes: ffree, usedInodes: files - ffree, inodeBytes };
  }

  #nameless(pids: readonly number[]): number {
    const devices = new Set(this.#directories.map((directory) => statSync(directory).dev));
    return namelessFiles(pids).reduce((sum, { device, bytes }) => sum + (devices.has(device) ? bytes : 0), 0);
  }

  async #taken(nameless: number): Promise<number> {
    const { usedInodes, inodeBytes } = this.#space();
    const bytes = nameless + (await this.#total('--block-size=1'));
    // A second walk only where all files of the disk together could be too many.
    const ofInodes = usedInodes * inodeBytes <= this.#limit ? 0 : (await this.#total('--inodes')) * inodeBytes;
    const taken = Math.max(bytes, ofInodes);
    this.#last = { ...this.#last, taken };
    return taken;
  }

  /** Files that vanish meanwhile make du fail; its total is right nevertheless. */
  async #total(unit: string): Promise<number> {
    const argv = ['du', '--summarize', '--one-file-system', unit, '--total', '--', ...this.#directories] as const;
    const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
    const result = await this.#host.run({ argv: [...argv], cwd: '/', environment }).catch(() => undefined);
    return Number(/^(\d+)\ttotal$/m.exec(result?.stdout ?? '')?.[1] ?? 0);
  }
}
