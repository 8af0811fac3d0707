/** Measures Kiln's build roots, and in the same run the ways of the toolkit of Azure Linux and of Debian. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Distribution, Session } from '@kiln/distribution';
import { DebianRoots, type DebianSource, type DebianTimes } from './debian-roots.ts';
import { InstalledRoots, type InstalledTimes } from './installed-roots.ts';
import { differentSizes, KilnRoots, rootSubjects, type KilnTimes, type RootSubject } from './kiln-roots.ts';
import { makeToolsRoot } from './tools-root.ts';

/** One package. */
export interface RootMeasure {
  readonly id: string;
  /** RPMs over the toolchain. */
  readonly rpms: number;
  readonly buildRequires: number;
  /** Medians. */
  readonly kiln: KilnTimes;
  /** One run. */
  readonly installed: InstalledTimes;
  /** Of the source package with the same number of build-dependencies, or the nearest; one run, of some packages. */
  readonly debian?: DebianMeasure;
}

export interface DebianMeasure extends DebianTimes {
  readonly source: string;
  readonly buildDependencies: number;
  /** Packages over the base root. */
  readonly installs: number;
}

export interface BuildRootBench {
  readonly measures: readonly RootMeasure[];
  /** How long the toolchain is looked at, once in a run. */
  readonly toolchainSeconds: number;
  /** All RPMs that repodata is made of. */
  readonly availableRpms: number;
  /** Load average at the start and at the end. */
  readonly load: readonly [number, number];
}

export interface BuildRootOptions {
  readonly packages: number;
  /** How many of them in Debian's ways, which take longest. */
  readonly debian: number;
  /** Of Kiln's cases; the others take seconds. */
  readonly runs: number;
  /** Place for about 4 GB. */
  readonly directory: string;
  /** Told of each step, and of each measure when it is made. */
  readonly say: (line: string) => void;
  readonly measured: (measure: RootMeasure) => void;
}

const REPOSITORY = join(import.meta.dirname, '../..');

/** @throws Error when fewer packages than wanted have their dependencies in the store. */
export async function benchBuildRoots(options: BuildRootOptions): Promise<BuildRootBench> {
  const { packages, runs, say, measured } = options;
  const before = loadAverage();
  const place = mkdtempSync(join(options.directory, 'kiln-build-root-'));
  chmodSync(place, 0o755);
  try {
    const { session, all } = await rootSubjects(REPOSITORY);
    const subjects = differentSizes(all, packages);
    if (subjects.length < packages)
      throw new Error(
        `only ${subjects.length} packages have what they need in the store: run \`./nx run-many -t rpm\` first`,
      );
    say('making the roots that the others begin with; this downloads some 200 MB');
    const tools = makeToolsRoot(place, suiteOf(session.distribution));
    const rpms = await availableRpms(session);
    const toolchain = await session.toolchain();
    const { layer } = toolchain;
    const installed = InstalledRoots.make(place, tools, { layer, rpm: toolchain.rpms[0]!.path, rpms });
    const twins = new DebianTwins(place, tools, session.distribution);
    twins.choose(spread(subjects, options.debian));
    const kiln = await KilnRoots.make(session, subjects, join(place, 'store'));
    say(`${subjects.length} packages; repodata of ${rpms.size} RPMs`);
    const measures: RootMeasure[] = [];
    for (const subject of subjects) {
      const debian = twins.times(subject);
      const one = {
        id: subject.id,
        rpms: subject.rpms,
        buildRequires: subject.buildRequires,
        kiln: await kiln.times(subject, runs),
        installed: installed.times(subject.fileNames),
        ...(debian === undefined ? {} : { debian }),
      };
      measures.push(one);
      measured(one);
    }
    const toolchainSeconds = await kiln.toolchainSeconds();
    return { measures, toolchainSeconds, availableRpms: rpms.size, load: [before, loadAverage()] };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** @throws Error for a toolchain that isn't made of Debian's packages. */
function suiteOf({ toolchain }: Distribution): string {
  if (toolchain.kind !== 'debian') throw new Error("the comparison with Debian needs the toolchain 'debian'");
  return toolchain.lock.suite;
}

/** Debian's source packages beside ours. */
class DebianTwins {
  readonly #roots: DebianRoots;
  readonly #names: readonly string[];
  readonly #chosen = new Map<RootSubject, DebianSource>();

  constructor(place: string, tools: string, distribution: Distribution) {
    this.#roots = DebianRoots.make(place, tools, suiteOf(distribution));
    this.#names = distribution.packages.map(({ id }) => id.slice(id.lastIndexOf('/') + 1));
  }

  choose(subjects: readonly RootSubject[]): void {
    const sources = this.#roots.sources(this.#names);
    for (const subject of subjects) this.#chosen.set(subject, nearestSource(subject, sources));
    this.#roots.prepare([...new Set(this.#chosen.values())]);
  }

  /** Undefined for one that isn't chosen. */
  times(subject: RootSubject): DebianMeasure | undefined {
    const source = this.#chosen.get(subject);
    if (source === undefined) return undefined;
    const { name, buildDependencies, install } = source;
    return { ...this.#roots.times(source), source: name, buildDependencies, installs: install.length };
  }
}

/** Binary RPMs of all packages that are built: file name and path. */
async function availableRpms(session: Session): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { id } of session.distribution.packages) {
    const { result } = await session.state('rpm', id);
    for (const [name, { sha256 }] of Object.entries(result?.outputs ?? {}))
      if (!name.endsWith('.src.rpm')) found.set(name, session.store.blobPath(sha256));
  }
  return found;
}

/** The number of build-dependencies decides, then the name, then how few packages have to be installed. */
function nearestSource({ id, buildRequires }: RootSubject, sources: readonly DebianSource[]): DebianSource {
  const name = id.slice(id.lastIndexOf('/') + 1);
  const order = (one: DebianSource) => [
    Math.abs(one.buildDependencies - buildRequires),
    one.name === name ? 0 : 1,
    one.install.length,
  ];
  return [...sources].sort((a, b) => compare(order(a), order(b)))[0]!;
}

/** So many of the list, evenly: the first and the last one are among them. */
function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, n) => list[Math.round((n * (list.length - 1)) / Math.max(1, count - 1))]!);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, n) => value !== b[n]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}

function loadAverage(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}
