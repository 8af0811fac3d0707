/** The last builds of each package in a store, by name: what its RPMs provided. Kept apart from results, which may be removed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { writeFileAtomic } from '@kiln/host';
import type { PackageResult } from '@kiln/package-build';
import { formatDependency, formatEvr, parseDependency, parseEvr } from '@kiln/rpm-package';
import type { BuiltCapabilities } from './capability-changes.ts';
import type { Session } from './session.ts';

/** One build. Newer builds come first. */
export interface PastBuild {
  /** The action key of its result. */
  readonly key: Sha256;
  readonly rpms: BuiltCapabilities;
}

interface WrittenBuild {
  readonly key: Sha256;
  readonly rpms: readonly {
    readonly name: string;
    readonly evr: string;
    readonly arch: string;
    readonly provides: readonly string[];
    readonly files: readonly string[];
  }[];
}

/** Two that differ are enough to compare; one more for a tree that goes back to what it was. */
const MOST_KEPT = 3;

/** The builds of a package that the store knows of; none when the file is missing or unreadable. */
export function readBuildHistory(session: Session, id: string): PastBuild[] {
  try {
    const builds = JSON.parse(readFileSync(historyFile(session, id), 'utf8')) as WrittenBuild[];
    return builds.map(({ key, rpms }) => ({
      key,
      rpms: rpms.map(({ evr, provides, ...rest }) => ({
        ...rest,
        evr: parseEvr(evr),
        provides: provides.map(parseDependency),
      })),
    }));
  } catch {
    return [];
  }
}

/** Puts a build before all others. */
export async function recordBuild(session: Session, id: string, build: PastBuild): Promise<void> {
  const others = readBuildHistory(session, id).filter(({ key }) => key !== build.key);
  const builds = [build, ...others].slice(0, MOST_KEPT).map(({ key, rpms }): WrittenBuild => ({
    key,
    rpms: rpms.map(({ name, evr, arch, provides, files = [] }) => ({
      name,
      evr: formatEvr(evr),
      arch,
      provides: provides.map(formatDependency),
      files,
    })),
  }));
  await writeFileAtomic(historyFile(session, id), `${JSON.stringify(builds)}\n`);
}

/** What a result's RPMs offer to others. */
export function builtCapabilities({ rpms }: PackageResult): BuiltCapabilities {
  return rpms
    .filter(({ kind }) => kind === 'binary')
    .map(({ name, evr, arch, provides, paths }) => ({ name, evr, arch, provides, files: paths }));
}

/** Distributions and architectures don't know of each other. */
function historyFile({ store, distribution: { config } }: Session, id: string): string {
  const name = `${id.replaceAll('/', '~')}.json`;
  return join(store.directory, 'history', config.name, config.architecture, name);
}
