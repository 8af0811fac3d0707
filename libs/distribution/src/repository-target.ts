/** The `repository` target: all binary RPMs of the tree with rpm-md metadata. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { createRepository, type RepositoryRequest } from '@kiln/rpm-repository';
import { makeWorkDirectory, removeWorkDirectory } from '@kiln/sandbox';
import type { Blob } from '@kiln/store';
import type { Distribution } from './distribution.ts';
import { isBroken } from './package-project.ts';
import { judgeReport, repositoryReport, type RepositoryPolicy } from './repository-report.ts';
import { TOOLCHAIN_ORIGIN } from './universe.ts';
import type { BuiltProvider } from './built-providers.ts';
import type { Session } from './session.ts';
import type { Target } from './targets.ts';
import { readManifest } from './view.ts';
import { isTrial, publishableRpms, refuseInTrial } from './trial-toolchain.ts';

/** Raise it when the same RPMs would be described in another way. */
const RECIPE_VERSION = 2;

export const repositoryTarget: Target = {
  before: ({ config, packages }) =>
    isTrial(config) ? [] : [['toolchain', TOOLCHAIN_ORIGIN], ...packages.map(({ id }) => ['rpm', id] as const)],

  async key(session): Promise<Sha256 | undefined> {
    refuseInTrial(session.distribution.config, 'a repository');
    const rpms = await allRpms(session);
    if (rpms === undefined) return undefined;
    const { architecture } = session.distribution.config;
    return digestOf({
      stage: 'repository',
      recipeVersion: RECIPE_VERSION,
      architecture,
      toolchain: session.distribution.toolchain.identity,
      rpms: rpms.map(({ fileName, artifact }) => ({ fileName, artifact })),
      // A stricter policy looks again at what an earlier one let pass.
      policy: { ...policyOf(session) },
    });
  },

  async build(session, id) {
    const rpms = (await allRpms(session)) ?? [];
    const { host, store } = session;
    for (const { blob, fileName } of rpms) await store.requireIntact(blob, fileName);
    const work = await makeWorkDirectory(host, store, 'repository');
    try {
      const directory = join(work, 'repository');
      host.emit({
        type: 'progress',
        action: 'repository',
        subject: id,
        message: 'createrepo_c',
        total: rpms.length,
        unit: 'packages',
      });
      const { repomdDigest } = await createRepository(host, session.runTool, {
        directory,
        rpms: rpms.map(({ blob }) => store.blobPath(blob.sha256)),
        reusedNevra: 'replace',
        ...(await earlierMetadata(session, id, work)),
        ledgerFile: join(session.distribution.root, repositoryDirectory(session.distribution), 'ledger.json'),
      });
      const outputs: Record<string, Blob> = {};
      for (const name of await readdir(join(directory, 'repodata'))) {
        outputs[`repodata/${name}`] = await store.putFile(join(directory, 'repodata', name));
      }
      for (const { fileName, blob } of rpms) outputs[`Packages/${fileName}`] = blob;
      const report = await repositoryReport(store, rpms);
      outputs['report.json'] = await store.putText(`${JSON.stringify(report, undefined, 2)}\n`);
      for (const message of judgeReport(report, policyOf(session)))
        host.emit({ type: 'notice', severity: 'warning', code: 'REPOSITORY_INCOMPLETE', message });
      return { outputs, facts: { repomdDigest, madeWith: madeWith(session) } };
    } finally {
      await removeWorkDirectory(host, work);
    }
  },

  showAs: (distribution, _, output) => join(repositoryDirectory(distribution), output),
  log: () => join('dist', 'logs', 'repository.log'),
};

function policyOf({ distribution }: Session): RepositoryPolicy {
  return distribution.config.checks?.repository ?? {};
}

/** Only metadata of the same tools says of a package what they would say now. */
function madeWith({ distribution }: Session): Sha256 {
  return digestOf({ recipeVersion: RECIPE_VERSION, toolchain: distribution.toolchain.identity });
}

/** The metadata of the repository that is shown in `dist/`, laid out in the work directory. */
async function earlierMetadata(
  session: Session,
  id: string,
  work: string,
): Promise<Pick<RepositoryRequest, 'earlier'>> {
  const { store, distribution } = session;
  const manifest = await readManifest(distribution.root, distribution.config.architecture, ['repository', id]);
  const result = manifest === undefined ? undefined : await store.readAction(manifest.key as Sha256);
  if (result === undefined || (result.facts as { madeWith?: Sha256 }).madeWith !== madeWith(session)) return {};
  const directory = join(work, 'earlier');
  const files = Object.entries(result.outputs);
  for (const [name, blob] of files)
    if (name.startsWith('repodata/')) await store.materialize(blob, join(directory, name));
  return { earlier: { directory, packages: Object.fromEntries(files) } };
}

/** Workspace-relative directory of the repository. */
export function repositoryDirectory({ config }: Distribution): string {
  return join('dist', 'repository', config.architecture);
}

/** All binary RPMs in the order of their file names; undefined while one isn't built. Packages that can't be built fail on their own. */
export async function allRpms(session: Session): Promise<BuiltProvider[] | undefined> {
  const found: BuiltProvider[] = [];
  for (const project of session.distribution.packages) {
    if (isBroken(project)) return undefined;
    const { result } = await session.state('rpm', project.id);
    if (result === undefined) return undefined;
    found.push(...publishableRpms(project, result));
  }
  return found.sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
}
