/** The `sources` target: all source files of a package are in the store, and it is told where each came from. */
import { join } from 'node:path';
import { canonicalJson, digestOf, type Sha256 } from '@kiln/build-identity';
import { fetchSources, type SourceOrigin } from '@kiln/sources';
import type { PackageProject } from './package-project.ts';
import { pinnedSources, type PinnedSource } from './pinned-sources.ts';
import { sourcePlaces } from './source-places.ts';
import type { Session } from './session.ts';
import type { Target } from './targets.ts';
import { throwDiagnostics } from './throw-diagnostics.ts';

/** Where one source file of a package is from. */
export interface SourceReport {
  readonly fileName: string;
  readonly sha256: Sha256;
  /** `tree` for a file beside the spec, else the label of the place; `store` when it was put there before that was recorded. */
  readonly place: string;
  /** Path in the tree, address, or pool path. */
  readonly address?: string;
}

/** Raise it when the report would say the same in another way. */
const RECIPE_VERSION = 1;

export const sourcesTarget: Target = {
  before: () => [],

  key: (session, id) =>
    Promise.resolve(
      digestOf({
        stage: 'sources',
        recipeVersion: RECIPE_VERSION,
        id,
        files: sourcesOf(session, id).map(({ fileName, sha256, localPath }) => ({
          fileName,
          sha256,
          local: localPath !== undefined,
        })),
      }),
    ),

  async build(session, id) {
    const { host, store, distribution } = session;
    const sources = sourcesOf(session, id);
    const { origins } = await fetchSources(host, store, {
      requests: sources.filter(({ localPath }) => localPath === undefined),
      places: sourcePlaces(distribution.root, distribution.config),
      task: { action: 'sources', subject: id },
    });
    const report = sources.map((one) => reportOf(one, origins.get(one.sha256)));
    return { outputs: { 'sources.json': await store.putText(`${canonicalJson(report)}\n`) }, facts: { report } };
  },

  showAs: (_, id) => join('dist', 'sources', `${id}.json`),
  log: (id) => join('dist', 'logs', 'sources', `${id}.log`),
};

/** What the report says of one file. */
export function reportOf({ fileName, sha256, localPath }: PinnedSource, origin?: SourceOrigin): SourceReport {
  if (localPath !== undefined) return { fileName, sha256, place: 'tree', address: localPath };
  return { fileName, sha256, ...(origin?.provenance ?? { place: 'store' }) };
}

function sourcesOf(session: Session, id: string): PinnedSource[] {
  const { root } = session.distribution;
  const project: PackageProject = session.distribution.findPackage(id);
  if (project.sourcePackage === undefined) throwDiagnostics(project.specFile, project.diagnostics);
  return pinnedSources(root, project);
}
