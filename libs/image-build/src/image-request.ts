/** What an image is made from, and the part of it that decides what comes out. */
import type { Json, Sha256 } from '@kiln/build-identity';
import type { ImageDefinition } from '@kiln/image-config';
import type { LocalFileInput } from './local-files.ts';

/** Raised when the same request would give other bytes than before. */
export const IMAGE_RECIPE_VERSION = 7;

/** An RPM of the image. */
export interface ImageRpm {
  readonly path: string;
  readonly nevra: string;
  /** Of the whole file: checked before anything is installed. */
  readonly sha256: Sha256;
  /** What it was built from, in words, for the bill of materials. */
  readonly origin?: string | undefined;
}

export interface ImageRequest {
  readonly definition: ImageDefinition;
  /** Of what comes out (see `imageActionRequest`): identifiers of disks and file systems are derived from it. */
  readonly identity: Sha256;
  /** As rpm calls it: `x86_64`, `aarch64`. */
  readonly arch: string;
  /** Seconds since the epoch; not before the build time of any package. */
  readonly sourceDateEpoch: number;
  /** Everything to install, closed under dependencies; the order is that of the command line. */
  readonly rpms: readonly ImageRpm[];
  /** The files that the definition's customization reads, by their paths in the workspace. */
  readonly localFiles: Readonly<Record<string, LocalFileInput>>;
  /** Directory that receives the artifacts; made when it isn't there. */
  readonly outputDirectory: string;
  /** Receives what rpm and the other programs say. */
  readonly log?: string;
}

/** What `imageActionRequest` is made of. */
export interface ImageIdentity {
  readonly definition: ImageDefinition;
  readonly arch: string;
  readonly sourceDateEpoch: number;
  readonly rpms: readonly (Pick<ImageRpm, 'nevra' | 'origin'> & { readonly artifactDigest: Sha256 })[];
  /** Digests of what the definition's customization reads, by path in the workspace. */
  readonly localFiles: Readonly<Record<string, Sha256>>;
  /** Identity of the toolchain whose programs make the image. */
  readonly toolchain: string;
  /** Identity of the root with the programs that make disks and file systems; absent when none of these is made. */
  readonly imageTools?: string;
}

/**
 * How each member of a definition counts. A new member must be listed: TypeScript refuses a table without it.
 */
const MEMBERS: Readonly<Record<keyof ImageDefinition, 'counts' | 'does not count'>> = {
  name: 'counts',
  // Where the definition was written.
  file: 'does not count',
  files: 'does not count',
  places: 'does not count',
  // What was asked for; the RPMs that answer it count.
  packages: 'does not count',
  artifacts: 'counts',
  disk: 'counts',
  boot: 'counts',
  hostname: 'counts',
  removeRpmDb: 'counts',
  disableRpmDocs: 'counts',
  languages: 'counts',
  hidepid: 'counts',
  customization: 'counts',
  container: 'counts',
  seed: 'counts',
  installer: 'counts',
};

/** Types of artifacts that the toolchain's own programs write. */
const TOOLCHAIN_TYPES: ReadonlySet<string> = new Set(['oci', 'tar.gz']);

/** Whether programs of the image tools take part. */
export function usesImageTools({ artifacts, disk }: ImageDefinition): boolean {
  return (
    disk !== undefined ||
    artifacts.some(({ type, compression }) => !TOOLCHAIN_TYPES.has(type) || compression !== undefined)
  );
}

/** The image's build request as plain JSON: equal requests give equal bytes. Its digest is the action key. */
export function imageActionRequest(identity: ImageIdentity): Json {
  const { definition, arch, sourceDateEpoch, rpms, localFiles, toolchain, imageTools } = identity;
  const members = Object.entries(definition).filter(([name]) => MEMBERS[name as keyof ImageDefinition] === 'counts');
  return {
    stage: 'image',
    recipeVersion: IMAGE_RECIPE_VERSION,
    arch,
    sourceDateEpoch,
    toolchain,
    ...(imageTools === undefined ? {} : { imageTools }),
    definition: Object.fromEntries(members) as Json,
    localFiles,
    rpms: rpms.map(({ nevra, artifactDigest, origin }) => ({ nevra, artifactDigest, origin: origin ?? null })),
  };
}
