/** Updates the records of generated dependencies from what is built. */
import type { PackageProject } from './package-project.ts';
import { recordOf, recordPath, sameRecord, writeProvidesRecord } from './provides-record.ts';
import { packageResult } from './rpm-target.ts';
import type { Session } from './session.ts';

export interface RecordedProvides {
  readonly id: string;
  /** Workspace-relative path of the record. */
  readonly file: string;
  readonly outcome: 'written' | 'unchanged' | 'not built';
}

/** Writes the records of the given packages that are built and whose record differs. */
export async function recordProvides(
  session: Session,
  projects: readonly PackageProject[],
): Promise<RecordedProvides[]> {
  const { root, config } = session.distribution;
  const outcomes: RecordedProvides[] = [];
  for (const project of projects) {
    const file = recordPath(config.provides, project.id);
    const { result } = project.sourcePackage === undefined ? {} : await session.state('rpm', project.id);
    if (result === undefined || project.sourcePackage === undefined) {
      outcomes.push({ id: project.id, file, outcome: 'not built' });
      continue;
    }
    const record = recordOf(project.sourcePackage, packageResult(result));
    const same = project.record !== undefined && sameRecord(record, project.record);
    if (!same) await writeProvidesRecord(root, file, record);
    outcomes.push({ id: project.id, file, outcome: same ? 'unchanged' : 'written' });
  }
  return outcomes;
}
