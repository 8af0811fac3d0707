/** Updates the records of generated dependencies from what is built. */
import { generatedBuildRequires } from './build-requires-target.ts';
import { packageResult } from './built-providers.ts';
import type { PackageProject } from './package-project.ts';
import { recordChanges, recordOf, recordPath, writeProvidesRecord, type ProvidesRecord } from './provides-record.ts';
import type { Session } from './session.ts';

export interface RecordedProvides {
  readonly id: string;
  /** Workspace-relative path of the record. */
  readonly file: string;
  /** `changed`: the record differs; it is written unless the caller only compares. */
  readonly outcome: 'changed' | 'unchanged' | 'not built';
  /** `+ name provides x`, `- BuildRequires y`. */
  readonly changes: readonly string[];
}

/** Compares the records of the given packages with what is built, and writes those that differ unless `frozen`. */
export async function recordProvides(
  session: Session,
  projects: readonly PackageProject[],
  { frozen = false }: { readonly frozen?: boolean } = {},
): Promise<RecordedProvides[]> {
  const { root, config } = session.distribution;
  const outcomes: RecordedProvides[] = [];
  for (const project of projects) {
    const file = recordPath(config.provides, project.id);
    const found = await foundRecord(session, project);
    if (found === undefined) {
      outcomes.push({ id: project.id, file, outcome: 'not built', changes: [] });
      continue;
    }
    const changes = recordChanges(project.record, found);
    const isNew = project.record?.packages === undefined && found.packages !== undefined;
    const differs = changes.length > 0 || isNew;
    if (differs && !frozen) await writeProvidesRecord(root, file, found);
    outcomes.push({ id: project.id, file, outcome: differs ? 'changed' : 'unchanged', changes });
  }
  return outcomes;
}

/** What is known now: of a task that isn't done, what was recorded before. Undefined when nothing is done. */
async function foundRecord(session: Session, project: PackageProject): Promise<ProvidesRecord | undefined> {
  const { id, sourcePackage, record } = project;
  if (sourcePackage === undefined) return undefined;
  const built = await resultOf(session, 'rpm', id);
  const generated = sourcePackage.generatesBuildRequires ? await resultOf(session, 'buildrequires', id) : undefined;
  if (built === undefined && generated === undefined) return undefined;
  const packages = built === undefined ? record?.packages : recordOf(sourcePackage, packageResult(built));
  const buildRequires = generated === undefined ? record?.buildRequires : generatedBuildRequires(generated);
  return {
    ...(packages === undefined ? {} : { packages }),
    ...(buildRequires === undefined || !sourcePackage.generatesBuildRequires ? {} : { buildRequires }),
  };
}

/** A task whose plan is stale or broken has no result. */
async function resultOf(session: Session, target: 'rpm' | 'buildrequires', id: string) {
  try {
    return (await session.state(target, id)).result;
  } catch {
    return undefined;
  }
}
