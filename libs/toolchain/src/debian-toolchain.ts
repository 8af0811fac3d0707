/** The toolchain as planning sees it: identity and capabilities, read from two files, nothing downloaded. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { parseDependency } from '@kiln/rpm-package';
import { parseDebianPackages, type DebianPackages } from './debian-packages.ts';
import { programCapabilities } from './layer-programs.ts';
import { LAYER_RECIPE_VERSION, TOOLS_RECIPE, type LayerRecipe } from './layer-recipe.ts';
import { parseToolchainLock, type ToolchainLock } from './toolchain-lock.ts';
import { checkToolsOnly } from './tools-only.ts';
import type { ToolchainPackage } from './toolchain.ts';

/** Name of the generated RPM. */
export const TOOLCHAIN_PACKAGE = 'kiln-toolchain-debian';

/** Where Debian's rpm has the files of its vendor, below its configuration directory. */
export const DEBIAN_RPM_VENDOR = 'debian';

/** rpm's name of Debian's architecture. */
export const TOOLCHAIN_ARCHITECTURE = 'x86_64';

/** Raise it when the same packages give another RPM. */
const RPM_RECIPE_VERSION = 1;

export interface DebianToolchain {
  readonly kind: 'debian';
  /** Digest of all that the layer and the RPM are made from. */
  readonly identity: Sha256;
  /** Digest of all that the layer alone is made from. */
  readonly layerIdentity: Sha256;
  /** How the layer is made of the lock's packages. */
  readonly recipe: LayerRecipe;
  readonly lock: ToolchainLock;
  /** The generated RPM. */
  readonly package: ToolchainPackage;
}

/**
 * Reads package list and lock; the paths are relative to `root`.
 * @throws BuildError `TOOLCHAIN_CONFIG_INVALID`, `TOOLCHAIN_LOCK_MISSING`, `TOOLCHAIN_LOCK_MALFORMED`, `TOOLCHAIN_LOCK_STALE`,
 * `TOOLCHAIN_NOT_TOOLS_ONLY`.
 */
export function loadDebianToolchain(
  root: string,
  files: { readonly packages: string; readonly lock: string },
  recipe: LayerRecipe = TOOLS_RECIPE,
): DebianToolchain {
  const packages = parseDebianPackages(read(root, files.packages), files.packages);
  const lock = parseToolchainLock(read(root, files.lock), files.lock);
  checkToolsOnly(
    lock.packages.map(({ name }) => name),
    files.lock,
  );
  checkFresh(packages, lock, files);
  return createDebianToolchain(packages, lock, recipe);
}

/** The toolchain of a list and its lock; both are taken as they are. */
export function createDebianToolchain(
  packages: DebianPackages,
  lock: ToolchainLock,
  recipe: LayerRecipe = TOOLS_RECIPE,
): DebianToolchain {
  const layerIdentity = toolchainLayerIdentity(lock, recipe);
  const programs = (lock.programs ?? []).flatMap(programCapabilities);
  const stated = statedCapabilities(packages, lock);
  const capabilities = [...stated, ...programs, ...lock.libraryCapabilities, 'rtld(GNU_HASH)'];
  const provides = [...new Set(capabilities)].sort();
  const content = { layer: layerIdentity, recipeVersion: RPM_RECIPE_VERSION, suite: packages.suite, provides };
  const identity = digestOf(content);
  const evr = { epoch: 0, version: packages.suite, release: identity.slice(0, 12) };
  return {
    kind: 'debian',
    identity,
    layerIdentity,
    recipe,
    lock,
    package: {
      name: TOOLCHAIN_PACKAGE,
      evr,
      arch: TOOLCHAIN_ARCHITECTURE,
      provides: provides.map(parseDependency),
      requires: [],
    },
  };
}

/** Digest of all that the layer is made from. */
export function toolchainLayerIdentity(
  lock: Pick<ToolchainLock, 'packages'>,
  recipe: LayerRecipe = TOOLS_RECIPE,
): Sha256 {
  return digestOf({
    recipeVersion: LAYER_RECIPE_VERSION,
    ...(recipe.name === 'tools' ? {} : { recipe: recipe.name }),
    packages: lock.packages.map(({ name, sha256 }) => [name, sha256]),
  });
}

/** Debian's version without epoch, revision and the marks of a repacked or rebuilt source: `2:3.8.2+dfsg-1` is `3.8.2`. */
export function upstreamVersion(debianVersion: string): string {
  const native = debianVersion.replace(/^\d+:/, '');
  const upstream = native.includes('-')
    ? native.slice(0, native.lastIndexOf('-'))
    : native.replace(/\+(deb\d+u\d+|nmu\d+|b\d+)$/, '');
  return upstream.replace(/[+.](dfsg|ds)[\d.]*$/, '').replaceAll('-', '.');
}

function statedCapabilities(packages: DebianPackages, lock: ToolchainLock): string[] {
  const versions = new Map(lock.packages.map(({ name, version }) => [name, upstreamVersion(version)]));
  return Object.entries(packages.provides).flatMap(([capability, name]) => {
    if (capability.startsWith('/')) return [capability];
    const stated = `${capability} = ${versions.get(name)}`;
    // As rpm's %{_isa} writes it.
    return capability.includes('(') ? [stated] : [stated, `${capability}(x86-64) = ${versions.get(name)}`];
  });
}

function checkFresh(
  packages: DebianPackages,
  lock: ToolchainLock,
  files: { readonly packages: string; readonly lock: string },
): void {
  const locked = new Set(lock.packages.map(({ name }) => name));
  const wanted = [...packages.packages, ...Object.values(packages.provides)];
  const lack = wanted.find((name) => !locked.has(name));
  const excess = packages.exclude.find((name) => locked.has(name));
  if (lock.suite === packages.suite && lack === undefined && excess === undefined) return;
  const what =
    lock.suite !== packages.suite
      ? `is of the suite '${lock.suite}', ${files.packages} of '${packages.suite}'`
      : lack !== undefined
        ? `doesn't have '${lack}' of ${files.packages}`
        : `has '${excess}', which ${files.packages} excludes`;
  throw new BuildError('TOOLCHAIN_LOCK_STALE', `${files.lock} ${what}`, {
    location: { file: files.lock, line: 1 },
    hint: 'make the lock again with `kiln lock-toolchain`',
  });
}

function read(root: string, file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch (cause) {
    throw new BuildError('TOOLCHAIN_LOCK_MISSING', `${file} can't be read`, {
      hint: 'restore the file; a lock is made with `kiln lock-toolchain`',
      cause,
    });
  }
}
