/** Stores of their own for benchmarks: with the toolchain and what some packages are built with, from the usual store. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Session, type PackageProject } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { Store, type ActionResult } from '@kiln/store';

/** What is made of packages: another package, or an image. */
type Built = Pick<PackageProject, 'dependencies'>;

/** Fills `directory`; what isn't built yet is built. */
export async function makeBenchStore(from: Session, projects: readonly Built[], directory: string): Promise<void> {
  const { layer, rpms } = await from.toolchain();
  mkdirSync(join(directory, 'layers'), { recursive: true });
  chmodSync(directory, 0o755);
  for (const path of [dirname(layer), ...rpms.map((rpm) => dirname(rpm.path))])
    execFileSync('cp', ['--archive', '--reflink=auto', path, join(directory, 'layers')]);
  const store = new Store(createHost(), directory);
  for (const id of neededBuilds(from, projects)) {
    if ((await from.state('rpm', id)).result === undefined) await from.run('rpm', id);
    await copyResult(from, store, (await from.state('rpm', id)).result!);
  }
  // It finds that its layers were copied, and records them anew.
  await benchSession(from, directory).toolchain();
}

/** A session that remembers nothing, with such a store. */
export function benchSession({ distribution }: Session, directory: string): Session {
  return new Session(distribution, createHost(), new Store(createHost(), directory));
}

/** Their dependencies, and those of these: identities are made of one another. */
function neededBuilds({ distribution }: Session, projects: readonly Built[]): ReadonlySet<string> {
  const needed = new Set<string>();
  const visit = ({ dependencies }: Built) => {
    for (const id of dependencies.filter((one) => !needed.has(one))) {
      needed.add(id);
      visit(distribution.findPackage(id));
    }
  };
  projects.forEach(visit);
  return needed;
}

async function copyResult(from: Session, store: Store, result: ActionResult): Promise<void> {
  for (const blob of Object.values(result.outputs)) await store.putFile(from.store.blobPath(blob.sha256), blob.sha256);
  await store.writeAction(result);
}

/** Of an even number of values the higher one. */
export function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
}
