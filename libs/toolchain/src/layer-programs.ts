/** The programs of a layer: packages may ask for them by their paths, as they do of packages that have such files. */
import type { ManifestEntry } from './layer-manifest.ts';

const PROGRAM_PATH = /^usr\/s?bin\/[\w.+[-]+$/;
const EXECUTABLE = 0o111;

/** Absolute paths in `/usr/bin` and `/usr/sbin`, sorted; links count. */
export function layerPrograms(manifest: readonly Pick<ManifestEntry, 'path' | 'type' | 'mode'>[]): string[] {
  const isProgram = ({ path, type, mode }: Pick<ManifestEntry, 'path' | 'type' | 'mode'>) =>
    PROGRAM_PATH.test(path) && (type === 'link' || (type === 'file' && (mode & EXECUTABLE) !== 0));
  return manifest
    .filter(isProgram)
    .map(({ path }) => `/${path}`)
    .sort();
}

/** A program by both of its paths: `/bin` and `/sbin` of the layer are links to those in `/usr`. */
export function programCapabilities(path: string): [string, string] {
  return [path, path.slice('/usr'.length)];
}
