/** The order of versions in expressions and Lua (rpmverCmp, rpmio/rpmver.c). */
import { vercmp, type Evr } from '@kiln/rpm-package';

/** -1, 0 or 1; unlike in dependencies, a version with a release is newer than the same one without. */
export function compareVersions(a: Evr, b: Evr): -1 | 0 | 1 {
  const epochs = Math.sign((a.epoch ?? 0) - (b.epoch ?? 0)) as -1 | 0 | 1;
  if (epochs !== 0) return epochs;
  const versions = vercmp(a.version, b.version);
  if (versions !== 0) return versions;
  if (a.release !== undefined && b.release !== undefined) return vercmp(a.release, b.release);
  return Math.sign(Number(a.release !== undefined) - Number(b.release !== undefined)) as -1 | 0 | 1;
}
