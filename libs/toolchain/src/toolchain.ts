/** Stage 1 as the other stages see it, whoever provides it. */
import type { Sha256 } from '@kiln/build-identity';
import type { BinaryPackage } from '@kiln/rpm-package';
import type { ManifestEntry } from './layer-manifest.ts';

/** What a toolchain offers to builds, as one package: closures of requirements stop there. */
export type ToolchainPackage = Pick<BinaryPackage, 'name' | 'evr' | 'arch' | 'provides' | 'requires'>;

/** An RPM that stands in the database of every build root. */
export interface ToolchainRpm {
  readonly fileName: string;
  /** Absolute path. */
  readonly path: string;
}

/** A toolchain that is ready to build with. */
export interface Toolchain {
  readonly identity: Sha256;
  /** Path of the tree: the lowest layer of build roots. */
  readonly layer: string;
  /** Layers over it, topmost first: of Debian packages, in mode `debian-full`. */
  readonly upperLayers?: readonly string[];
  /** For trying specs alone: what is built with it is never published. */
  readonly trial?: true;
  /** The RPMs that count as toolchain: a generated one that stands for the tools of Debian, or those that the layer was made of. */
  readonly rpms: readonly ToolchainRpm[];
  /** Directory of the vendor's files in rpm's configuration directory. */
  readonly rpmVendor: string;
  readonly package: ToolchainPackage;
  /** Library capabilities that built files may need without an RPM of the tree that has them. */
  readonly libraryCapabilities: readonly string[];
  /** Whether an absolute path is a header of the toolchain. */
  ownsHeader(path: string): boolean;
  /** Every path of the layer. */
  readManifest(): Promise<readonly ManifestEntry[]>;
}
