interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
export interface PackageLock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}
export function missingPlatforms(lock: PackageLock): Record<string, LockedPackage>;
