/** Stage 1, provider `debian`: the locked tools as a layer, with the RPM that stands for them. */
import { readFile } from 'node:fs/promises';
import type { Sha256 } from '@kiln/build-identity';
import type { Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import type { DebianToolchain } from './debian-toolchain.ts';
import type { ManifestEntry } from './layer-manifest.ts';
import { compilerHeaders } from './native-facts.ts';
import { toolchainLayer } from './toolchain-layer.ts';
import { toolchainRpm } from './toolchain-rpm.ts';

/** A toolchain that is ready to build with. */
export interface Toolchain {
  readonly identity: Sha256;
  /** Path of the tree: the lowest layer of build roots. */
  readonly layer: string;
  /** Path of the generated RPM. */
  readonly rpm: string;
  readonly package: DebianToolchain['package'];
  /** Library capabilities that built files may need without an RPM that has them. */
  readonly libraryCapabilities: readonly string[];
  /** Whether an absolute path is a header of the compiler or of the C library. */
  ownsHeader(path: string): boolean;
  /** Every path of the layer. */
  readManifest(): Promise<readonly ManifestEntry[]>;
}

/**
 * Makes the toolchain ready: downloads and unpacks what isn't in the store, checks what is. Emits progress.
 * @throws BuildError `TOOLCHAIN_PACKAGE_MISSING`, `TOOLCHAIN_PACKAGE_UNREADABLE`, `TOOLCHAIN_LOCK_MALFORMED`, `TOOLCHAIN_UNUSABLE`,
 * `STORE_UNREACHABLE`, `BUILD_USER_MISSING`.
 */
export async function prepareToolchain(host: Host, store: Store, toolchain: DebianToolchain): Promise<Toolchain> {
  const { root, manifestFile } = await toolchainLayer(host, store, toolchain.lock.packages);
  const rpm = await toolchainRpm(host, store, { toolchain, root });
  const readManifest = async () => JSON.parse(await readFile(manifestFile, 'utf8')) as ManifestEntry[];
  const headers = compilerHeaders(await readManifest());
  return {
    identity: toolchain.identity,
    layer: root,
    rpm,
    package: toolchain.package,
    libraryCapabilities: toolchain.lock.libraryCapabilities,
    ownsHeader: (path) => headers.has(path),
    readManifest,
  };
}
