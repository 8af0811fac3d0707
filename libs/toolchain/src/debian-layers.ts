/** A layer for each Debian package, made once, and what their maintainer scripts would register. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@kiln/build-identity';
import { buildUser, inParallel, type Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import { finishUpperLayer } from './finish-layer.ts';
import { FULL_RECIPE } from './layer-recipe.ts';
import { downloadPackages } from './toolchain-layer.ts';
import type { LockedPackage } from './toolchain-lock.ts';
import { unpackPackages } from './unpack-packages.ts';

/** Raise it when the same package gives another layer. */
const PACKAGE_LAYER_RECIPE_VERSION = 1;
const PARALLEL = 4;

/** An unpacked package in the store. */
export interface PackageLayer {
  readonly name: string;
  /** The tree. */
  readonly root: string;
  /** Text of the script that runs after an installation; it isn't run. */
  readonly postinstFile: string;
}

/**
 * Layers of the packages, in their order; what isn't in the store is downloaded.
 * @throws BuildError `TOOLCHAIN_PACKAGE_MISSING`, `TOOLCHAIN_PACKAGE_UNREADABLE`, `TOOLCHAIN_LOCK_MALFORMED`.
 */
export async function packageLayers(
  host: Host,
  store: Store,
  packages: readonly LockedPackage[],
): Promise<PackageLayer[]> {
  await downloadPackages(host, store, packages);
  return inParallel(packages, PARALLEL, async (one) => {
    const key = digestOf({ package: one.sha256, recipeVersion: PACKAGE_LAYER_RECIPE_VERSION });
    const directory = await store.layer(`deb-${key}`, (layer) => makeLayer(host, store, { one, layer }));
    return { name: one.name, root: join(directory, 'root'), postinstFile: join(directory, 'postinst') };
  });
}

async function makeLayer(
  host: Host,
  store: Store,
  { one, layer }: { readonly one: LockedPackage; readonly layer: string },
): Promise<void> {
  const root = join(layer, 'root');
  await mkdir(root, { mode: 0o755 });
  const owners = await unpackPackages(host, store, { packages: [one], directory: root, recipe: FULL_RECIPE });
  finishUpperLayer(root, owners, { user: await buildUser(host), recipe: FULL_RECIPE });
  const { prefix } = await buildUser(host);
  const argv = [...prefix, 'dpkg-deb', '--info', store.blobPath(one.sha256), 'postinst'];
  const { status, stdout } = await host.run({ argv: argv as [string, ...string[]], cwd: '/' });
  // Most packages have none.
  await writeFile(join(layer, 'postinst'), status === 0 ? stdout : '');
}
