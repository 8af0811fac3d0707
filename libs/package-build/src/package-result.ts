/** What a built source package hands on: its RPMs with digests and the dependencies that only a build can tell. */
import type { Sha256 } from '@kiln/build-identity';
import type { Dependency, Evr } from '@kiln/rpm-package';

/** One RPM of a build. The blob is found in the action's outputs under `fileName`. */
export interface BuiltRpm {
  readonly fileName: string;
  readonly kind: 'source' | 'binary';
  readonly name: string;
  readonly evr: Evr;
  readonly arch: string;
  /** Digest of immutable header and payload. */
  readonly artifact: Sha256;
  /** Digest of what dependents can see; equal to `artifact` for source RPMs. */
  readonly content: Sha256;
  readonly provides: readonly Dependency[];
  readonly requires: readonly Dependency[];
  /** Paths that other packages may require: the choice of rpm-md's primary metadata (`/etc/`, `bin/`, `/usr/lib/sendmail`). */
  readonly paths: readonly string[];
  /** Seconds since the epoch, from the changelog. */
  readonly buildTime: number;
}

/** The facts of an `rpm` action. */
export interface PackageResult {
  readonly source: string;
  readonly rpms: readonly BuiltRpm[];
  /** The build used the machine's network: the RPMs may have what no digest pins. */
  readonly network?: true;
  /** Built with the toolchain `debian-full`: for trying a spec alone, never for people. */
  readonly trial?: true;
}

/** Whether a path belongs to the primary file list (createrepo_c, `cr_is_primary`). */
export function isPrimaryPath(path: string): boolean {
  return path.startsWith('/etc/') || path.includes('bin/') || path === '/usr/lib/sendmail';
}
