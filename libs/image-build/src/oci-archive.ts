/** An OCI image layout in one tar file: writing one, and reading one with every digest checked. */
import { createReadStream } from 'node:fs';
import { createHash } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { OCI_MEDIA_TYPE, type OciDocuments, type OciLayer } from './oci-image.ts';
import { listTar, readTarEntry, type TarEntry } from './tar-reader.ts';
import { writeTar } from './tar-writer.ts';

const LAYOUT_VERSION = '{"imageLayoutVersion":"1.0.0"}';
/** Of index, manifest and configuration; the specification asks readers to accept at least 4 MiB. */
const LARGEST_DOCUMENT = 4 * 1024 * 1024;

/** What of an image's configuration decides how it is run. */
export interface OciRuntimeConfig {
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly WorkingDir?: string;
}

/** An archive whose digests were checked. */
export interface OciArchive {
  readonly path: string;
  readonly architecture: string;
  readonly config: OciRuntimeConfig;
  readonly annotations: Readonly<Record<string, string>>;
  /** Compressed tar archives, lowest first. */
  readonly layers: readonly TarEntry[];
}

/** Same documents, same layers: same bytes. The file of a layer is the compressed tar archive. */
export async function writeOciArchive(
  path: string,
  content: {
    readonly documents: OciDocuments;
    readonly layers: readonly (OciLayer & { readonly file: string })[];
    readonly mtime: number;
  },
): Promise<void> {
  const { documents, layers, mtime } = content;
  const blobs = [
    { name: `blobs/sha256/${documents.config.digest}`, content: documents.config.text },
    { name: `blobs/sha256/${documents.manifest.digest}`, content: documents.manifest.text },
    ...layers.map(({ digest, file, size }) => ({ name: `blobs/sha256/${digest}`, file, size })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const members = [
    { name: 'oci-layout', content: LAYOUT_VERSION },
    { name: 'index.json', content: documents.index.text },
    { name: 'blobs/' },
    { name: 'blobs/sha256/' },
    ...blobs,
  ];
  await writeTar(path, members, mtime);
}

/**
 * Follows index → manifest → configuration and layers, and checks the size and digest of each, the layers' uncompressed digests too.
 * @throws BuildError `ARCHIVE_MALFORMED`
 */
export async function readOciArchive(path: string): Promise<OciArchive> {
  const entries = await listTar(path);
  const reader = new BlobReader(path, entries);
  if ((await reader.named('oci-layout')).toString() !== LAYOUT_VERSION)
    throw malformed(path, 'it is not an OCI image layout 1.0.0');
  const index = parse<Index>(await reader.named('index.json'), path);
  if (index.schemaVersion !== 2) throw malformed(path, `its index has the schema version ${index.schemaVersion}`);
  const [manifestDescriptor, ...others] = index.manifests ?? [];
  if (manifestDescriptor === undefined || others.length > 0)
    throw malformed(path, 'its index does not name exactly one image');
  const manifest = parse<Manifest>(await reader.document(manifestDescriptor, OCI_MEDIA_TYPE.manifest), path);
  const config = parse<Config>(await reader.document(manifest.config, OCI_MEDIA_TYPE.config), path);
  const diffIds = config.rootfs?.diff_ids ?? [];
  if (diffIds.length !== manifest.layers.length)
    throw malformed(path, `${manifest.layers.length} layers and ${diffIds.length} diff ids`);
  const layers: TarEntry[] = [];
  for (const [position, layer] of manifest.layers.entries()) layers.push(await reader.layer(layer, diffIds[position]!));
  const annotations = manifest.annotations ?? {};
  return { path, architecture: config.architecture ?? '', config: config.config ?? {}, annotations, layers };
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Index {
  readonly schemaVersion?: number;
  readonly manifests?: readonly Descriptor[];
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Config {
  readonly architecture?: string;
  readonly config?: OciRuntimeConfig;
  readonly rootfs?: { readonly diff_ids?: readonly string[] };
}

class BlobReader {
  readonly #path: string;
  readonly #entries: ReadonlyMap<string, TarEntry>;

  constructor(path: string, entries: ReadonlyMap<string, TarEntry>) {
    this.#path = path;
    this.#entries = entries;
  }

  async named(name: string): Promise<Buffer> {
    return readTarEntry(this.#path, this.#entry(name), LARGEST_DOCUMENT);
  }

  async document(wanted: Descriptor, mediaType: string): Promise<Buffer> {
    if (wanted?.mediaType !== mediaType)
      throw malformed(this.#path, `'${wanted?.mediaType}' stands where ${mediaType} is expected`);
    const content = await readTarEntry(this.#path, this.#blob(wanted), LARGEST_DOCUMENT);
    this.#expect(wanted.digest, `sha256:${sha256(content)}`);
    return content;
  }

  async layer(wanted: Descriptor, diffId: string): Promise<TarEntry> {
    if (wanted.mediaType !== OCI_MEDIA_TYPE.layer)
      throw malformed(this.#path, `a layer is of type '${wanted.mediaType}'`);
    const entry = this.#blob(wanted);
    const [compressed, plain] = [createHash('sha256'), createHash('sha256')];
    const source = createReadStream(this.#path, { start: entry.offset, end: entry.offset + entry.size - 1 });
    source.on('data', (chunk) => compressed.update(chunk));
    await pipeline(source, createGunzip(), plain).catch((error: unknown) => {
      throw malformed(this.#path, `the layer ${wanted.digest} is not gzip data: ${(error as Error).message}`);
    });
    this.#expect(wanted.digest, `sha256:${compressed.digest('hex')}`);
    this.#expect(diffId, `sha256:${plain.digest('hex')}`);
    return entry;
  }

  #blob({ digest, size }: Descriptor): TarEntry {
    const entry = this.#entry(`blobs/${digest.replace(':', '/')}`);
    if (entry.size !== size) throw malformed(this.#path, `${digest} has ${entry.size} bytes, stated are ${size}`);
    return entry;
  }

  #entry(name: string): TarEntry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw malformed(this.#path, `there is no '${name}'`);
    return entry;
  }

  #expect(stated: string, found: string): void {
    if (stated !== found) throw malformed(this.#path, `the content of ${stated} has the digest ${found}`);
  }
}

function parse<T>(content: Buffer, path: string): T {
  try {
    return JSON.parse(content.toString('utf8')) as T;
  } catch (error) {
    throw malformed(path, (error as Error).message);
  }
}

function malformed(path: string, what: string): BuildError {
  return new BuildError('ARCHIVE_MALFORMED', `${path}: ${what}`, { hint: 'build the image again' });
}
