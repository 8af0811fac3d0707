/** Measures images made by Kiln, and in the same run by mkosi and kiwi, from the same RPMs. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageDefinition } from '@kiln/image-config';
import { median } from './bench-store.ts';
import { KilnImages, type Change, type ImageTimes } from './kiln-images.ts';
import { KiwiImages } from './kiwi-images.ts';
import { MkosiImages } from './mkosi-images.ts';

/** Medians in seconds. */
export interface ImageMeasure {
  readonly image: 'disk' | 'container';
  /** With nothing but RPMs and tools. */
  readonly kiln: OwnTimes;
  /** When another image of the same packages was made before. */
  readonly kilnSecond: OwnTimes;
  readonly mkosi: number;
  /** From its own cache of installed packages. */
  readonly mkosiSecond: number;
  readonly kiwi?: number;
}

export interface OwnTimes {
  readonly seconds: number;
  /** Lowest: it depends less on what else the machine does. */
  readonly cpuSeconds: number;
}

export interface ImageBench {
  readonly packages: number;
  readonly measures: readonly ImageMeasure[];
  /** The disk's definition with another format, made right after: nothing but the format is another. */
  readonly otherFormat: OwnTimes;
  readonly versions: readonly string[];
  /** Load average at the start and at the end. */
  readonly load: readonly [number, number];
}

export interface ImageBenchOptions {
  /** Workspace in which the packages are built. */
  readonly tree: string;
  readonly runs: number;
  readonly withKiwi: boolean;
  /** Place for about 4 GB. */
  readonly directory: string;
  readonly say: (line: string) => void;
}

/** A disk of 2 GiB for UEFI, with a kernel. */
const IMAGE = 'qemu-guest';

const raw: Change = (definition) => withArtifacts(definition, 'raw');
const otherFormat: Change = (definition) => withArtifacts(definition, 'qcow2');
const container: Change = ({ disk: _, ...definition }) =>
  withArtifacts({ ...definition, boot: { ...definition.boot, type: 'none' } }, 'oci');
/** Another image: the same packages, and other files in it. */
const second =
  (change: Change): Change =>
  (definition) => ({ ...change(definition), name: 'second', hostname: 'second' });

export async function benchImages({ tree, runs, withKiwi, directory, say }: ImageBenchOptions): Promise<ImageBench> {
  const before = loadAverage();
  const place = mkdtempSync(join(directory, 'kiln-image-bench-'));
  chmodSync(place, 0o755);
  try {
    const kiln = await KilnImages.make(tree, IMAGE, join(place, 'store'));
    const packages = await kiln.packages();
    const rpms = new Map(packages.map(({ fileName, path }) => [fileName, path]));
    say(`${packages.length} packages; making the roots of the others, which downloads some 300 MB`);
    const mkosi = MkosiImages.make(place, rpms, { espMiB: 64, rootMiB: 1982 });
    const names = packages.map(({ name }) => name);
    const kiwi = withKiwi ? KiwiImages.make(place, rpms, names) : undefined;
    const other: ImageTimes[] = [];
    const measure = async (image: ImageMeasure['image'], change: Change): Promise<ImageMeasure> => {
      const [first, again]: ImageTimes[][] = [[], []];
      const [byMkosi, againByMkosi, byKiwi]: number[][] = [[], [], []];
      const format = image === 'disk' ? 'disk' : 'oci';
      for (let run = 0; run < runs; run += 1) {
        kiln.forget();
        first!.push(await kiln.times(change));
        again!.push(await kiln.times(second(change)));
        if (image === 'disk') other.push(await kiln.times(otherFormat));
        byMkosi!.push(mkosi.times(format));
        againByMkosi!.push(mkosi.secondTimes(format));
        if (image === 'container' && kiwi !== undefined) byKiwi!.push(kiwi.times());
      }
      return {
        image,
        kiln: ownTimes(first!),
        kilnSecond: ownTimes(again!),
        mkosi: median(byMkosi!),
        mkosiSecond: median(againByMkosi!),
        ...(byKiwi!.length > 0 ? { kiwi: median(byKiwi!) } : {}),
      };
    };
    const measures = [await measure('disk', raw), await measure('container', container)];
    const versions = [mkosi.version, ...(kiwi === undefined ? [] : [kiwi.version])];
    return {
      packages: packages.length,
      measures,
      otherFormat: ownTimes(other),
      versions,
      load: [before, loadAverage()],
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function ownTimes(runs: readonly ImageTimes[]): OwnTimes {
  return {
    seconds: median(runs.map(({ seconds }) => seconds)),
    cpuSeconds: Math.min(...runs.map(({ cpuSeconds }) => cpuSeconds)),
  };
}

function withArtifacts(definition: ImageDefinition, type: 'raw' | 'qcow2' | 'oci'): ImageDefinition {
  return { ...definition, artifacts: [{ type, fileName: `image.${type}` }] };
}

function loadAverage(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}
