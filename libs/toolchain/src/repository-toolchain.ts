/** Provider `repository` as planning sees it: the RPMs of a manifest, and what they offer; nothing is downloaded. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, sha256, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { parseDependency } from '@kiln/rpm-package';
import { RPM_TOOLCHAIN_RECIPE_VERSION } from './rpm-layer-recipe.ts';
import { manifestDigest, parseToolchainManifest, type ToolchainManifest } from './toolchain-manifest.ts';
import type { ManifestKey } from './toolchain-config.ts';
import type { ToolchainPackage } from './toolchain.ts';

export interface RepositoryToolchain {
  readonly kind: 'repository';
  /** Digest of the packages and of how they become a layer. */
  readonly identity: Sha256;
  readonly package: ToolchainPackage;
  readonly manifest: ToolchainManifest;
  /** The workspace: what paths in the manifest are relative to. */
  readonly root: string;
  /** How the file must be signed before it is used. */
  readonly signature?: ManifestSignature;
}

export interface ManifestSignature extends ManifestKey {
  /** The manifest, and its digest when it was read. */
  readonly file: string;
  readonly sha256: Sha256;
}

/** Name of what stands for all members where closures stop. No RPM is called so. */
const REPOSITORY_TOOLCHAIN = 'toolchain-repository';

/**
 * Reads the manifest; paths are relative to `root`. While it is made (`isLocking`) it may have no packages yet.
 * @throws BuildError `TOOLCHAIN_MANIFEST_MISSING`, `TOOLCHAIN_MANIFEST_INVALID`, `TOOLCHAIN_MANIFEST_EMPTY`.
 */
export function loadRepositoryToolchain(
  root: string,
  { manifest: file, manifestKey }: { readonly manifest: string; readonly manifestKey?: ManifestKey },
  { isLocking = false }: { readonly isLocking?: boolean } = {},
): RepositoryToolchain {
  const text = readManifestFile(root, file);
  const manifest = parseToolchainManifest(text, file);
  if (manifest.packages.length === 0 && !isLocking) {
    throw new BuildError('TOOLCHAIN_MANIFEST_EMPTY', `${file} has no packages yet`, {
      location: { file, line: 1 },
      hint: 'write them into it with `kiln toolchain-manifest`',
    });
  }
  const identity = digestOf({ recipeVersion: RPM_TOOLCHAIN_RECIPE_VERSION, manifest: manifestDigest(manifest) });
  const provides = [...new Set(Object.values(manifest.provides).flat())].sort().map(parseDependency);
  const evr = { epoch: 0, version: 'manifest', release: identity.slice(0, 12) };
  return {
    kind: 'repository',
    ...{ identity, manifest, root },
    ...(manifestKey === undefined ? {} : { signature: { ...manifestKey, file, sha256: sha256(text) } }),
    package: { name: REPOSITORY_TOOLCHAIN, evr, arch: manifest.architecture, provides, requires: [] },
  };
}

/** @throws BuildError `TOOLCHAIN_MANIFEST_MISSING` */
export function readManifestFile(root: string, file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch (cause) {
    throw new BuildError('TOOLCHAIN_MANIFEST_MISSING', `${file} can't be read`, {
      hint: 'write what is asked for first: "architecture", "repositories" and "roots" (docs/toolchains.md)',
      cause,
    });
  }
}
