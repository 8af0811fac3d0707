/** The store: blobs by digest, action results by key, layers (directory trees) by key; shared by all clones of a user. */
import { createReadStream } from 'node:fs';
import { constants, copyFile, mkdir, readFile, rename, rm, stat, utimes, chmod } from 'node:fs/promises';
import { createHash, randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { canonicalJson, parseSha256, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { withFileLock, writeFileAtomic, type Host } from '@kiln/host';

/** A blob in the store. `size` is in bytes. */
export interface Blob {
  readonly sha256: Sha256;
  readonly size: number;
}

/** What an action made. `outputs` maps names (for RPMs: file names) to blobs; `facts` is the stage's own JSON. */
export interface ActionResult {
  readonly key: Sha256;
  readonly outputs: Readonly<Record<string, Blob>>;
  readonly facts: unknown;
}

/**
 * Where the store is: `KILN_STORE`, else `$XDG_CACHE_HOME/kiln`, else `~/.cache/kiln`; for root without either, `/var/cache/kiln`,
 * because the unprivileged build user must be able to reach it.
 */
export function defaultStoreDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  if (environment['KILN_STORE']) return resolve(environment['KILN_STORE']);
  if (environment['XDG_CACHE_HOME']) return resolve(environment['XDG_CACHE_HOME'], 'kiln');
  return process.getuid?.() === 0 ? '/var/cache/kiln' : join(environment['HOME'] ?? homedir(), '.cache', 'kiln');
}

export class Store {
  readonly directory: string;
  readonly #host: Host;

  constructor(host: Host, directory: string) {
    this.#host = host;
    this.directory = directory;
  }

  /** Path of a blob, whether it is there or not. Blobs are read-only; never hand out a hard link to one. */
  blobPath(digest: Sha256): string {
    return join(this.directory, 'cas', digest.slice(0, 2), digest);
  }

  async hasBlob({ sha256, size }: Blob): Promise<boolean> {
    const found = await stat(this.blobPath(sha256)).catch(() => undefined);
    return found !== undefined && found.size === size;
  }

  /** Takes a copy of a file into the store. With `expected`, other content is refused. */
  async putFile(path: string, expected?: Sha256): Promise<Blob> {
    return this.#guardSpace(async () => {
      const temporary = await this.temporaryPath('blob');
      try {
        await copyFile(path, temporary, constants.COPYFILE_FICLONE);
        return await this.#adopt(temporary, expected, path);
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  async putText(text: string): Promise<Blob> {
    return this.#guardSpace(async () => {
      const temporary = await this.temporaryPath('blob');
      await writeFileAtomic(temporary, text);
      return this.#adopt(temporary, undefined, temporary);
    });
  }

  /**
   * Copies a blob (reflink where the file system can) to `destination` through a temporary file and a rename, and checks its digest.
   * @throws BuildError `BLOB_MISSING`, `BLOB_CORRUPT` (the bad blob is removed, so that the next run makes it again).
   */
  async materialize(blob: Blob, destination: string): Promise<void> {
    const source = this.blobPath(blob.sha256);
    if (!(await this.hasBlob(blob))) {
      throw new BuildError('BLOB_MISSING', `the store has no blob ${blob.sha256}`, {
        hint: 'run the same command again',
      });
    }
    const temporary = `${destination}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
    await mkdir(dirname(destination), { recursive: true });
    try {
      await copyFile(source, temporary, constants.COPYFILE_FICLONE);
      if ((await digestFile(temporary)) !== blob.sha256) {
        await rm(source, { force: true });
        throw new BuildError(
          'BLOB_CORRUPT',
          `the blob ${source} has other content than its name says; it was removed`,
          {
            hint: 'run the same command again; check the disk if this repeats',
          },
        );
      }
      await chmod(temporary, 0o644);
      await rename(temporary, destination);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** The result of an action when it and all its blobs are there; else undefined. Marks it as used. */
  async readAction(key: Sha256): Promise<ActionResult | undefined> {
    const path = this.#actionPath(key);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const result = parseAction(text);
    if (result === undefined || result.key !== key) return undefined;
    for (const blob of Object.values(result.outputs)) if (!(await this.hasBlob(blob))) return undefined;
    const now = new Date(this.#host.now());
    await utimes(path, now, now).catch(() => undefined);
    return result;
  }

  /** Publishes a result; its blobs must be in the store already. */
  async writeAction(result: ActionResult): Promise<void> {
    await this.#guardSpace(() => writeFileAtomic(this.#actionPath(result.key), canonicalJson(result)));
  }

  /**
   * Answers an action from the cache, or does it once: concurrent callers of any process wait for the first and use its result.
   * `build` returns outputs that are already in the store.
   */
  async action(
    key: Sha256,
    options: { readonly action: string; readonly subject: string; readonly log?: string },
    build: () => Promise<Omit<ActionResult, 'key'>>,
  ): Promise<{ readonly result: ActionResult; readonly outcome: 'built' | 'cached' }> {
    const started = this.#host.now();
    const emit = (outcome: 'built' | 'cached' | 'failed') =>
      this.#host.emit({
        type: 'action',
        ...options,
        key,
        outcome,
        seconds: (this.#host.now() - started) / 1000,
      });
    const known = await this.readAction(key);
    if (known !== undefined) {
      emit('cached');
      return { result: known, outcome: 'cached' };
    }
    return this.withLock(`action-${key}`, `${options.action} of ${options.subject}`, async () => {
      const made = await this.readAction(key);
      if (made !== undefined) {
        emit('cached');
        return { result: made, outcome: 'cached' as const };
      }
      try {
        const result: ActionResult = { key, ...(await build()) };
        await this.writeAction(result);
        emit('built');
        return { result, outcome: 'built' as const };
      } catch (error) {
        emit('failed');
        throw error;
      }
    });
  }

  /**
   * A directory tree by key: made once by `make` in a temporary directory, then renamed into place. Never change it afterwards.
   * Returns its path.
   */
  async layer(key: string, make: (directory: string) => Promise<void>): Promise<string> {
    const path = join(this.directory, 'layers', key);
    if (await exists(path)) return path;
    return this.withLock(`layer-${key}`, `layer ${key}`, async () => {
      if (await exists(path)) return path;
      const temporary = await this.temporaryPath('layer');
      await mkdir(temporary, { recursive: true });
      try {
        await this.#guardSpace(() => make(temporary));
        await mkdir(dirname(path), { recursive: true });
        await rename(temporary, path);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
      return path;
    });
  }

  /** Runs `work` while no other process of this store holds the same name. */
  async withLock<T>(name: string, what: string, work: () => Promise<T>): Promise<T> {
    return withFileLock(join(this.directory, 'locks', name), work, {
      signal: this.#host.signal,
      onWait: () =>
        this.#host.emit({
          type: 'notice',
          severity: 'info',
          code: 'WAITING_FOR_LOCK',
          message: `another run is busy with the ${what}; waiting for its result`,
        }),
    });
  }

  /** A path under `tmp/` of the store that nobody uses; its parent exists and is on the same file system as blobs and layers. */
  async temporaryPath(what: string): Promise<string> {
    const directory = join(this.directory, 'tmp');
    await mkdir(directory, { recursive: true });
    return join(directory, `${what}-${process.pid}-${randomBytes(6).toString('hex')}`);
  }

  async #adopt(temporary: string, expected: Sha256 | undefined, origin: string): Promise<Blob> {
    const sha256 = await digestFile(temporary);
    if (expected !== undefined && sha256 !== expected) {
      throw new BuildError('DIGEST_MISMATCH', `${origin} has SHA-256 ${sha256}, expected ${expected}`);
    }
    const { size } = await stat(temporary);
    const path = this.blobPath(sha256);
    await mkdir(dirname(path), { recursive: true });
    await chmod(temporary, 0o444);
    await rename(temporary, path);
    return { sha256, size };
  }

  #actionPath(key: Sha256): string {
    return join(this.directory, 'ac', key.slice(0, 2), `${key}.json`);
  }

  async #guardSpace<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      throw new BuildError('DISK_FULL', `no space left while writing to the store ${this.directory}`, {
        hint: 'free some space or point KILN_STORE at a larger disk, then run the same command again',
        cause: error,
      });
    }
  }
}

/** SHA-256 of a file's content, read as a stream. */
export async function digestFile(path: string): Promise<Sha256> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return parseSha256(hash.digest('hex'));
}

function parseAction(text: string): ActionResult | undefined {
  try {
    const value = JSON.parse(text) as ActionResult;
    return typeof value.key === 'string' && typeof value.outputs === 'object' ? value : undefined;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
