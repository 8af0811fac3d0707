/** Images as Kiln makes them, with a store of their own for what is made: RPMs and tools come from the usual one. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@kiln/build-identity';
import { loadDistribution, Session } from '@kiln/distribution';
import { createHost, inParallel } from '@kiln/host';
import { buildImage, sharedFiles, type ImagePorts } from '@kiln/image-build';
import type { ImageDefinition } from '@kiln/image-config';
import { makeWorkDirectory, removeWorkDirectory } from '@kiln/sandbox';
import { Store } from '@kiln/store';
import { imageContents, imagePorts, imageRpms, placeInMemory } from '../../libs/distribution/src/image-target.ts';

/** Changes a definition to that of another image with the same packages. */
export type Change = (definition: ImageDefinition) => ImageDefinition;

export interface ImageTimes {
  readonly seconds: number;
  /** Of this process and of all that it started. */
  readonly cpuSeconds: number;
}

export class KilnImages {
  readonly #session: Session;
  readonly #id: string;
  readonly #store: string;

  private constructor(session: Session, id: string, store: string) {
    this.#session = session;
    this.#id = id;
    this.#store = store;
  }

  /** @param tree workspace in which the packages of the image `id` are built. */
  static async make(tree: string, id: string, store: string): Promise<KilnImages> {
    const images = new KilnImages(new Session(await loadDistribution(tree), createHost()), id, store);
    mkdirSync(store, { recursive: true, mode: 0o755 });
    // Whatever is made once and for all images.
    const ports = await images.#ports(images.#session);
    await ports.imageTools();
    return images;
  }

  /** File names, names and paths of the RPMs. */
  async packages(): Promise<{ readonly fileName: string; readonly name: string; readonly path: string }[]> {
    const { rpms } = await this.#contents(this.#session);
    return rpms.map(({ fileName, name, blob }) => ({
      fileName,
      name,
      path: this.#session.store.blobPath(blob.sha256),
    }));
  }

  /** Forgets what was made. */
  forget(): void {
    for (const name of ['ac', 'cas']) rmSync(join(this.#store, name), { recursive: true, force: true });
  }

  /** From asking for the image until its files are in the store, in a session that remembers nothing but the toolchain. */
  async times(change: Change): Promise<ImageTimes> {
    const session = new Session(this.#session.distribution, createHost());
    await session.toolchain();
    const [begun, cpuBegun] = [performance.now(), cpuSeconds()];
    const contents = await this.#contents(session);
    const definition = change(contents.definition);
    await inParallel(contents.rpms, 4, ({ blob, fileName }) => session.store.requireIntact(blob, fileName));
    const store = this.#ownStore(session);
    const outputDirectory = await store.temporaryPath('image');
    try {
      const place = await placeInMemory(contents);
      const { outputs } = await buildImage(session.host, await this.#ports(session, place), {
        definition,
        identity: digestOf(definition),
        arch: session.distribution.config.architecture,
        sourceDateEpoch: contents.sourceDateEpoch,
        rpms: imageRpms(session, contents),
        localFiles: contents.localFiles,
        outputDirectory,
      });
      for (const { path, sha256 } of outputs) await store.moveFile(path, sha256);
    } finally {
      rmSync(outputDirectory, { recursive: true, force: true });
    }
    return { seconds: (performance.now() - begun) / 1000, cpuSeconds: cpuSeconds() - cpuBegun };
  }

  async #contents(session: Session) {
    const contents = await imageContents(session, this.#id);
    if (contents === undefined)
      throw new Error(`the packages of ${this.#id} are not built: run \`./nx image ${this.#id}\``);
    return contents;
  }

  #ownStore(session: Session): Store {
    return new Store(session.host, this.#store);
  }

  async #ports(session: Session, place?: string): Promise<ImagePorts> {
    const store = this.#ownStore(session);
    const { host } = session;
    return {
      ...(await imagePorts(session)),
      shared: (step) => sharedFiles(store, digestOf(step.request), step),
      makeWorkDirectory: (name) => makeWorkDirectory(host, store, name, place),
      removeWorkDirectory: (directory) => removeWorkDirectory(host, directory),
    };
  }
}

const TICKS_PER_SECOND = 100;

/** proc_pid_stat(5): utime, stime, and those of children that were waited for. */
function cpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}
