/** Which source files of a tree can be had, from where, and which can't: the whole tree at once, nothing hides behind the first error. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { writeFileAtomic } from '@kiln/host';
import type { SourceFile } from '@kiln/rpm-package';
import {
  formatSignatures,
  isPlainFileName,
  readSignatures,
  tryFetchSources,
  updateSignatures,
  type SignatureChange,
} from '@kiln/sources';
import { digestFile } from '@kiln/store';
import { asDiagnostic } from './as-diagnostic.ts';
import type { PackageProject } from './package-project.ts';
import { pinnedSources, signaturesPath, type PinnedSource } from './pinned-sources.ts';
import type { Session } from './session.ts';
import { sourcePlaces } from './source-places.ts';
import { reportOf, type SourceReport } from './sources-target.ts';
import { throwDiagnostics } from './throw-diagnostics.ts';

export interface SourceExamination {
  readonly id: string;
  readonly files: readonly SourceReport[];
  readonly problems: readonly Diagnostic[];
}

/** What the progress of an examination is told of. */
export const SOURCES_TASK = { action: 'sources', subject: 'sources' } as const;

/** Fetches what isn't in the store yet. A package whose spec is broken has its diagnostics as problems. */
export async function examineSources(
  session: Session,
  projects: readonly PackageProject[],
): Promise<SourceExamination[]> {
  const { host, store, distribution } = session;
  const pinned = projects.map((project) => ({ project, ...pinnedOrProblems(distribution.root, project) }));
  const { origins, problems } = await tryFetchSources(host, store, {
    requests: pinned.flatMap(({ sources }) => sources.filter(({ localPath }) => localPath === undefined)),
    places: sourcePlaces(distribution.root, distribution.config),
    task: SOURCES_TASK,
  });
  return pinned.map(({ project, sources, problems: own }) => ({
    id: project.id,
    files: sources
      .filter(({ sha256, localPath }) => localPath !== undefined || origins.has(sha256))
      .map((one) => reportOf(one, origins.get(one.sha256))),
    problems: [
      ...own,
      ...sources.flatMap(({ sha256, location }) => {
        const problem = problems.get(sha256);
        return problem === undefined ? [] : [{ ...asDiagnostic(problem), location }];
      }),
    ],
  }));
}

/**
 * Rewrites the signatures of a package to what its places give now; a file beside the spec is pinned by its content.
 * @throws BuildError `SOURCE_MISSING` (the file is unchanged then), or those of a broken spec.
 */
export async function updatePackageSignatures(
  session: Session,
  project: PackageProject,
): Promise<{ readonly file: string; readonly changes: readonly SignatureChange[] }> {
  const { host, store, distribution } = session;
  const { root, config } = distribution;
  if (project.sourcePackage === undefined) throwDiagnostics(project.specFile, project.diagnostics);
  const file = signaturesPath(project);
  const local = new Map<string, Sha256>();
  const sources: SourceFile[] = [];
  for (const source of project.sourcePackage?.sources ?? []) {
    const path = join(root, project.directory, source.fileName);
    if (!isPlainFileName(source.fileName) || !existsSync(path)) sources.push(source);
    else if (source.kind === 'source') local.set(source.fileName, await digestFile(path));
  }
  const { signatures, changes } = await updateSignatures(host, store, {
    sources,
    places: sourcePlaces(root, config),
    before: readSignatures(join(root, file), file),
    local,
    task: SOURCES_TASK,
  });
  if (changes.length > 0) await writeFileAtomic(join(root, file), formatSignatures(signatures));
  return { file, changes };
}

function pinnedOrProblems(
  root: string,
  project: PackageProject,
): { readonly sources: readonly PinnedSource[]; readonly problems: readonly Diagnostic[] } {
  if (project.sourcePackage === undefined)
    return { sources: [], problems: project.diagnostics.filter(({ severity }) => severity === 'error') };
  try {
    return { sources: pinnedSources(root, project), problems: [] };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { sources: [], problems: [asDiagnostic(error)] };
  }
}
