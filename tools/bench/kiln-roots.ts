/** Build roots of the packages of this tree, made by Kiln in a store of its own that is filled from the usual one. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadDistribution, Session, type PackageProject } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import type { PackageBuild } from '@kiln/package-build';
import { buildInput, preparedBuild } from '../../libs/distribution/src/build-input.ts';
import { inBuildRoot, runBuildCommand } from '../../libs/package-build/src/build-place.ts';
import { benchSession, makeBenchStore, median } from './bench-store.ts';

/** A package whose build root can be made of what is in the store. */
export interface RootSubject {
  readonly id: string;
  readonly project: PackageProject;
  /** RPMs that the root has over the toolchain. */
  readonly rpms: number;
  /** Their files. */
  readonly fileNames: readonly string[];
  /** BuildRequires of the spec. */
  readonly buildRequires: number;
}

/** Seconds from asking for the root until a program has run in it. */
export interface KilnTimes {
  /** All layers and the RPM database are there. */
  readonly seen: number;
  /** The layers are there, but never were they one root: rpm proves that they belong together. */
  readonly cached: number;
  /** Every RPM is unpacked first. */
  readonly cold: number;
}

/** Those whose dependencies are all built, smallest root first. */
export async function rootSubjects(tree: string): Promise<{ readonly session: Session; readonly all: RootSubject[] }> {
  const session = new Session(await loadDistribution(tree), createHost());
  const all: RootSubject[] = [];
  for (const project of session.distribution.packages) {
    const input = await buildInput(session, project);
    if (input === undefined) continue;
    const buildRequires = input.source.buildRequires.length;
    const fileNames = input.root.map(({ fileName }) => fileName);
    all.push({ id: project.id, project, rpms: fileNames.length, fileNames, buildRequires });
  }
  return { session, all: all.sort((a, b) => a.rpms - b.rpms || (a.id < b.id ? -1 : 1)) };
}

/** So many: one of each size first, then a second one of each, and so on; smallest root first. */
export function differentSizes(subjects: readonly RootSubject[], count: number): RootSubject[] {
  const seen = new Map<number, number>();
  const ranked = subjects.map((subject) => {
    const rank = seen.get(subject.rpms) ?? 0;
    seen.set(subject.rpms, rank + 1);
    return { subject, rank };
  });
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ subject }) => subject)
    .sort((a, b) => a.rpms - b.rpms);
}

/** A store of its own, with the toolchain and the RPMs that the roots are made of. */
export class KilnRoots {
  readonly #session: Session;
  readonly #directory: string;

  private constructor(session: Session, directory: string) {
    this.#session = session;
    this.#directory = directory;
  }

  static async make(session: Session, subjects: readonly RootSubject[], directory: string): Promise<KilnRoots> {
    const projects = subjects.map(({ project }) => project);
    await makeBenchStore(session, projects, directory);
    return new KilnRoots(session, directory);
  }

  /** Everything but the layers of this root is there, sources included. */
  async times(subject: RootSubject, runs: number): Promise<KilnTimes> {
    await this.#measure(subject);
    const [seen, cached, cold]: [number[], number[], number[]] = [[], [], []];
    for (let run = 0; run < runs; run += 1) {
      seen.push(await this.#measure(subject));
      this.#forget(/^rpmdb-/);
      cached.push(await this.#measure(subject));
      this.#forget(/^rpm(db)?-/);
      cold.push(await this.#measure(subject));
    }
    return { seen: median(seen), cached: median(cached), cold: median(cold) };
  }

  /** The toolchain is looked at once in a run, whatever is built in it. */
  async toolchainSeconds(): Promise<number> {
    const begun = performance.now();
    await this.#fresh().toolchain();
    return (performance.now() - begun) / 1000;
  }

  /** As the first build of a run does it: nothing is remembered of earlier roots. */
  async #measure(subject: RootSubject): Promise<number> {
    const session = this.#fresh();
    await session.toolchain();
    const build = await this.#build(session, subject);
    const begun = performance.now();
    const ready = await inBuildRoot(session.host, session.store, build, async (place) => {
      const status = await runBuildCommand(session.host, ['true'], place);
      if (status !== 0) throw new Error(`the root of ${subject.id} does not work: see ${build.log}`);
      return performance.now();
    });
    return (ready - begun) / 1000;
  }

  #fresh(): Session {
    return benchSession(this.#session, this.#directory);
  }

  async #build(session: Session, { project }: RootSubject): Promise<PackageBuild> {
    const input = await buildInput(session, project);
    const log = join('dist', 'logs', 'bench', `${project.id}.log`);
    // A root is the same with and without sources in it.
    return { ...(await preparedBuild(session, { ...input!, sources: [] }, { target: 'rpm', log })), files: [] };
  }

  #forget(which: RegExp): void {
    const layers = join(this.#directory, 'layers');
    for (const name of readdirSync(layers)) if (which.test(name)) rmSync(join(layers, name), { recursive: true });
  }
}
