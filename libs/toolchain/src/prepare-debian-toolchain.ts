/** Stage 1, provider `debian`: the locked tools as a layer, with the RPM that stands for them. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import { DEBIAN_RPM_VENDOR, type DebianToolchain } from './debian-toolchain.ts';
import type { ManifestEntry } from './layer-manifest.ts';
import { layerPrograms } from './layer-programs.ts';
import { checkMember } from './lock-member.ts';
import { compilerHeaders, libraryCapabilities, namedLibraries } from './native-facts.ts';
import { toolchainLayer } from './toolchain-layer.ts';
import { toolchainRpm } from './toolchain-rpm.ts';
import type { Toolchain } from './toolchain.ts';

const LOCK_COMMAND = 'kiln lock-toolchain';

/**
 * Makes the toolchain ready: downloads and unpacks what isn't in the store, checks what is. Emits progress.
 * @throws BuildError `TOOLCHAIN_PACKAGE_MISSING`, `TOOLCHAIN_PACKAGE_UNREADABLE`, `TOOLCHAIN_LOCK_MALFORMED`, `TOOLCHAIN_LOCK_STALE`,
 * `TOOLCHAIN_UNUSABLE`, `STORE_UNREACHABLE`, `BUILD_USER_MISSING`.
 */
export async function prepareDebianToolchain(host: Host, store: Store, toolchain: DebianToolchain): Promise<Toolchain> {
  const { root, manifestFile } = await toolchainLayer(host, store, toolchain.lock.packages, toolchain.recipe);
  const readManifest = async () => JSON.parse(await readFile(manifestFile, 'utf8')) as ManifestEntry[];
  const checkLock = async () => {
    const manifest = await readManifest();
    const { libraryCapabilities: libraries, programs } = toolchain.lock;
    const found = await libraryCapabilities(host, root, namedLibraries(manifest));
    checkMember('libraryCapabilities', libraries, { found, command: LOCK_COMMAND });
    if (programs !== undefined)
      checkMember('programs', programs, { found: layerPrograms(manifest), command: LOCK_COMMAND });
  };
  const rpm = await toolchainRpm(host, store, { toolchain, root, checkLock });
  const headers = compilerHeaders(await readManifest());
  return {
    identity: toolchain.identity,
    layer: root,
    rpms: [{ fileName: basename(rpm), path: rpm }],
    rpmVendor: DEBIAN_RPM_VENDOR,
    package: toolchain.package,
    libraryCapabilities: toolchain.lock.libraryCapabilities,
    ownsHeader: (path) => headers.has(path),
    readManifest,
  };
}
