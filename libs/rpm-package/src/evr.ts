/** Epoch, version, release: parsing, printing and rpm's order. */
import { vercmp } from './vercmp.ts';

/** An EVR. A missing epoch compares as 0 (rpm's lib/rpmds.c); a missing release matches any release in dependencies. */
export interface Evr {
  readonly epoch?: number;
  readonly version: string;
  readonly release?: string;
}

/** Parses `[epoch:]version[-release]`, splitting as rpm's parseEVR() (rpmio/rpmver.c): leading digits before `:`, last `-`. */
export function parseEvr(text: string): Evr {
  const epochMatch = /^(\d*):/.exec(text);
  const rest = epochMatch === null ? text : text.slice(epochMatch[0].length);
  const dash = rest.lastIndexOf('-');
  const version = dash < 0 ? rest : rest.slice(0, dash);
  return {
    ...(epochMatch === null ? {} : { epoch: Number(epochMatch[1] === '' ? 0 : epochMatch[1]) }),
    version,
    ...(dash < 0 ? {} : { release: rest.slice(dash + 1) }),
  };
}

/** `[epoch:]version[-release]`. */
export function formatEvr({ epoch, version, release }: Evr): string {
  return `${epoch === undefined ? '' : `${epoch}:`}${version}${release === undefined ? '' : `-${release}`}`;
}

/** -1, 0 or 1 in rpm's order (rpmverCmp, rpmio/rpmver.c). Releases compare only when both sides have one. */
export function compareEvr(a: Evr, b: Evr): -1 | 0 | 1 {
  const epochs = Math.sign((a.epoch ?? 0) - (b.epoch ?? 0)) as -1 | 0 | 1;
  if (epochs !== 0) return epochs;
  const versions = vercmp(a.version, b.version);
  if (versions !== 0 || a.release === undefined || b.release === undefined) return versions;
  return vercmp(a.release, b.release);
}
