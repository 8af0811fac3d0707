/** The store: blobs by digest, action results by key, layers (directory trees) by key; shared by all clones of a user. */
import { mkdir, readFile, rename, rm, stat, chmod } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { withFileLock, writeFileAtomic, type Host } from '@kiln/host';
import { formatAction, parseAction, type ActionResult, type Blob } from './action-file.ts';
import { copySparse } from './copy-sparse.ts';
import { digestFile } from './digest-file.ts';
import type { EarlierResults } from './earlier-results.ts';
import { isLayerIntact, layerRecordPath, readLayerRecord, recordLayer } from './layer-record.ts';
import { use } from './store-use.ts';

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
  /** Directory of the store that has the blobs and the results. */
  readonly #shared: string;
  readonly #earlier: EarlierResults | undefined;
  /** Layers that were looked at. */
  readonly #intact = new Set<string>();
  /** Blobs whose content was read by this process, with the time of their last change, in nanoseconds. */
  readonly #known = new Map<Sha256, bigint>();

  /**
   * @param options.blobs another store on the same file system, with which blobs and results are shared: only layers are its own
   * @param options.earlier results of other stores, which are taken instead of being made
   */
  constructor(
    host: Host,
    directory: string,
    { blobs, earlier }: { readonly blobs?: Store; readonly earlier?: EarlierResults } = {},
  ) {
    this.#host = host;
    this.directory = directory;
    this.#shared = blobs?.directory ?? directory;
    this.#earlier = earlier;
  }

  /** Marks a file or directory of the store as used by this process, so that it stays; whether it is there. */
  use(path: string): Promise<boolean> {
    const isOwn = path.startsWith(`${this.directory}/`);
    return use(this.#host, isOwn ? this.directory : this.#shared, path);
  }

  /** Path of a blob, whether it is there or not. Blobs are read-only; never hand out a hard link to one. */
  blobPath(digest: Sha256): string {
    return join(this.#shared, 'cas', digest.slice(0, 2), digest);
  }

  /** Whether it is there, by its size; it counts as used. */
  async hasBlob(blob: Blob): Promise<boolean> {
    return (await this.use(this.blobPath(blob.sha256))) && this.#isThere(blob);
  }

  /** Whether it is there with the content that its name says; damaged content is removed. It counts as used. */
  async hasIntactBlob(digest: Sha256): Promise<boolean> {
    const path = this.blobPath(digest);
    if (!(await this.use(path))) return false;
    if ((await digestFile(path)) === digest) return true;
    await rm(path, { force: true });
    return false;
  }

  /**
   * Makes sure that a blob can be relied on. `what` names it for people.
   * @throws BuildError `BLOB_UNUSABLE`; a damaged one is removed, so that what made it is done again.
   */
  async requireIntact({ sha256 }: Pick<Blob, 'sha256'>, what: string): Promise<void> {
    if (!(await this.hasIntactBlob(sha256))) throw unusable(what, this.blobPath(sha256));
  }

  async #isThere({ sha256, size }: Blob): Promise<boolean> {
    return (await stat(this.blobPath(sha256)).catch(() => undefined))?.size === size;
  }

  /** Takes a copy of a file into the store. With `expected`, other content is refused. */
  async putFile(path: string, expected?: Sha256): Promise<Blob> {
    return this.#put(async (temporary) => {
      await copySparse(this.#host, path, temporary);
      return this.#adopt(temporary, expected, path);
    });
  }

  /**
   * Moves a file of the store's own file system into the store.
   * @param sha256 of its content, which was read after the last change: it isn't read again
   */
  async moveFile(path: string, sha256: Sha256): Promise<Blob> {
    return this.#guardSpace(async () => {
      const { size } = await stat(path);
      const place = this.blobPath(sha256);
      await mkdir(dirname(place), { recursive: true });
      await chmod(path, 0o444);
      await rename(path, place);
      // Garbage collection leaves what is so young.
      if (!(await this.use(place))) throw unusable(path, place);
      const changed = await changeTime(place);
      if (changed !== undefined) this.#known.set(sha256, changed);
      return { sha256, size };
    });
  }

  async putText(text: string): Promise<Blob> {
    return this.#put(async (temporary) => {
      await writeFileAtomic(temporary, text);
      return this.#adopt(temporary, undefined, temporary);
    });
  }

  /**
   * Copies a blob (reflink where the file system can) to `destination` through a temporary file in `scratch`, which must be on the same
   * file system, and a rename; checks its digest, but of what this process moved in.
   * @throws BuildError `BLOB_UNUSABLE`; a damaged one is removed, so that what made it is done again.
   */
  async materialize(blob: Blob, destination: string, scratch = dirname(destination)): Promise<void> {
    const source = this.blobPath(blob.sha256);
    const changed = await changeTime(source);
    const isKnown = changed !== undefined && changed === this.#known.get(blob.sha256);
    if (!(await this.hasBlob(blob))) throw unusable(destination, source);
    const temporary = join(scratch, `show-${process.pid}-${randomBytes(4).toString('hex')}`);
    for (const directory of [dirname(destination), scratch]) await mkdir(directory, { recursive: true });
    try {
      await copySparse(this.#host, source, temporary);
      if (!isKnown && (await digestFile(temporary)) !== blob.sha256) {
        await rm(source, { force: true });
        throw unusable(destination, source);
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
    // Its blobs count as used with it.
    if (!(await this.use(path))) return undefined;
    const text = await readFile(path, 'utf8').catch(() => undefined);
    const result = text === undefined ? undefined : parseAction(text);
    if (result === undefined || result.key !== key) return undefined;
    for (const blob of Object.values(result.outputs)) if (!(await this.#isThere(blob))) return undefined;
    return result;
  }

  /** Publishes a result; its blobs must be in the store already. */
  async writeAction(result: ActionResult): Promise<void> {
    const path = this.#actionPath(result.key);
    await this.#guardSpace(() => this.#untilUsed(() => writeFileAtomic(path, formatAction(result)), path));
  }

  /**
   * Answers an action from the cache or from earlier results, or does it once: concurrent callers of any process wait for the first and use its
   * result. `build` returns outputs that are already in the store.
   */
  async action(
    key: Sha256,
    options: { readonly action: string; readonly subject: string; readonly log?: string },
    build: () => Promise<Omit<ActionResult, 'key'>>,
  ): Promise<{ readonly result: ActionResult; readonly outcome: 'built' | 'cached' }> {
    const started = this.#host.now();
    const emit = (outcome: 'built' | 'cached' | 'failed', error?: string) =>
      this.#host.emit({
        type: 'action',
        ...options,
        key,
        outcome,
        seconds: (this.#host.now() - started) / 1000,
        ...(error === undefined ? {} : { error }),
      });
    const known = await this.readAction(key);
    if (known !== undefined) {
      emit('cached');
      return { result: known, outcome: 'cached' };
    }
    return this.withLock(`action-${key}`, `${options.action} of ${options.subject}`, async () => {
      try {
        const made = (await this.readAction(key)) ?? (await this.#takeAction(key));
        if (made !== undefined) {
          emit('cached');
          return { result: made, outcome: 'cached' as const };
        }
        const result: ActionResult = { key, ...(await build()) };
        await this.writeAction(result);
        emit('built');
        return { result, outcome: 'built' as const };
      } catch (error) {
        emit('failed', firstLine(error));
        throw error;
      }
    });
  }

  async #takeAction(key: Sha256): Promise<ActionResult | undefined> {
    const result = await this.#earlier?.action(this, key);
    if (result !== undefined) await this.writeAction(result);
    return result;
  }

  /**
   * A directory tree by key: taken from earlier results or made once by `make` in a temporary directory, then renamed into place. Never change it
   * afterwards: with `checked` one that was changed is made again. Returns its path.
   */
  async layer(
    key: string,
    make: (directory: string) => Promise<void>,
    { checked = false }: { readonly checked?: boolean } = {},
  ): Promise<string> {
    const path = join(this.directory, 'layers', key);
    if (await this.#hasLayer(key, checked)) return path;
    return this.withLock(`layer-${key}`, `layer ${key}`, async () => {
      if (await this.#hasLayer(key, checked)) return path;
      await this.#putAside(path);
      const temporary = await this.temporaryPath('layer');
      await mkdir(temporary, { recursive: true });
      try {
        await this.#guardSpace(async () => {
          if ((await this.#earlier?.layer(this, key, temporary)) !== true) await make(temporary);
          const record = layerRecordPath(this.directory, key);
          await this.#untilUsed(() => recordLayer(temporary, record, { checked }), record);
          await mkdir(dirname(path), { recursive: true });
          await rename(temporary, path);
        });
        this.#intact.add(key);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
      return path;
    });
  }

  /** Marks a layer as used, when it is there. */
  async useLayer(key: string): Promise<boolean> {
    return (await this.use(layerRecordPath(this.directory, key))) && isThere(join(this.directory, 'layers', key));
  }

  /** A layer that was made with `checked` and is as it was made, with the digest of its content; undefined when there is none. */
  async intactLayer(key: string): Promise<{ readonly path: string; readonly content: Sha256 } | undefined> {
    const record = layerRecordPath(this.directory, key);
    if (!(await this.use(record)) || !(await this.#hasLayer(key, true))) return undefined;
    const content = (await readLayerRecord(record))?.check?.content;
    return content === undefined ? undefined : { path: join(this.directory, 'layers', key), content };
  }

  /** Whether the layer can be used, which it then counts as. */
  async #hasLayer(key: string, checked: boolean): Promise<boolean> {
    const path = join(this.directory, 'layers', key);
    const record = layerRecordPath(this.directory, key);
    // One of an earlier Kiln has no record.
    if ((await isThere(path)) && !(await this.use(record)) && (await isThere(path)))
      await this.#untilUsed(() => recordLayer(path, record, { checked }), record);
    if (!(await isThere(path))) return false;
    if (!checked || this.#intact.has(key)) return true;
    // Somebody else may be putting it aside.
    const isIntact = await isLayerIntact(path, record).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    });
    if (isIntact) this.#intact.add(key);
    return isIntact;
  }

  /** Puts a layer that was changed out of the way, if it is there; under its lock. */
  async #putAside(path: string): Promise<void> {
    if (!(await isThere(path))) return;
    const message = `the layer ${path} was changed since it was made, so it is made again`;
    this.#host.emit({ type: 'notice', severity: 'warning', code: 'LAYER_CHANGED', message });
    // Other builds may have it mounted: garbage collection removes it later.
    await rename(path, `${path}.changed-${randomBytes(4).toString('hex')}`);
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

  /** Again when a garbage collection removes the blob, which may have been there unused, at that moment. */
  #put(take: (temporary: string) => Promise<Blob>): Promise<Blob> {
    return this.#guardSpace(async () => {
      const temporary = await this.temporaryPath('blob');
      try {
        for (;;) {
          const blob = await take(temporary);
          if (await this.use(this.blobPath(blob.sha256))) return blob;
        }
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  /** Writes what stands at `path` until it counts as used. */
  async #untilUsed(write: () => Promise<void>, path: string): Promise<void> {
    do await write();
    while (!(await this.use(path)));
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
    return join(this.#shared, 'ac', key.slice(0, 2), `${key}.json`);
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

function firstLine(error: unknown): string {
  const text = error instanceof BuildError ? `${error.code}: ${error.message}` : String(error);
  return text.split('\n', 1)[0]!;
}

function unusable(what: string, path: string): BuildError {
  return new BuildError('BLOB_UNUSABLE', `${what} can't be had from the store: ${path} is missing or was damaged`, {
    hint: 'run the same command again: what made it is done again; check the disk if this repeats',
  });
}

/** In nanoseconds: nobody can set it. Undefined when there is nothing. */
async function changeTime(path: string): Promise<bigint | undefined> {
  return (await stat(path, { bigint: true }).catch(() => undefined))?.ctimeNs;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
