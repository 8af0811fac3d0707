/** An RPM file as a seed of `toolkit/bootstrap.json`. */
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatDependency, formatEvr } from '@kiln/rpm-package';
import { readRpmHeader } from '@kiln/rpm-repository';
import type { Store } from '@kiln/store';
import type { SeedRpm } from './bootstrap-policy.ts';

/** Puts it into the store and says what a plan must know of it. Its `url` is to be replaced by where others can have it. */
export async function seedOf(store: Store, path: string): Promise<SeedRpm> {
  const { name, evr, arch, provides, requires } = (await readRpmHeader(path)).package;
  const { sha256 } = await store.putFile(path);
  return {
    fileName: basename(path),
    sha256,
    url: pathToFileURL(resolve(path)).href,
    name,
    evr: formatEvr(evr),
    arch,
    provides: provides.map(formatDependency),
    requires: requires.map(formatDependency).filter((text) => !text.startsWith('rpmlib(')),
  };
}
