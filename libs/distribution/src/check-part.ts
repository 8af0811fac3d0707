/** What the target `check` consists of: parts with keys of their own, so that a change of one doesn't repeat the others. */
import type { Sha256 } from '@kiln/build-identity';
import type { ActionResult } from '@kiln/store';
import type { TestOutcome } from './junit-report.ts';
import type { PackageProject } from './package-project.ts';
import type { Session } from './session.ts';

export interface CheckPart {
  /** What reports call it. */
  readonly name: string;
  /** Undefined while something that it needs isn't built; null when there is no such part. */
  key(session: Session, project: PackageProject): Promise<Sha256 | undefined | null>;
  /** @throws BuildError when what it looks at isn't as it should be; `INPUT_CHANGED` when it isn't what `key` was made of. */
  run(session: Session, project: PackageProject, key: Sha256): Promise<PartResult>;
}

export interface PartResult {
  readonly outcome: Exclude<TestOutcome, { readonly outcome: 'failed' }>;
  readonly outputs: ActionResult['outputs'];
}

/** The result of a part from the store, or made and put there. */
export async function partResult(
  session: Session,
  project: PackageProject,
  { part, key }: { readonly part: CheckPart; readonly key: Sha256 },
): Promise<PartResult> {
  const known = await session.store.readAction(key);
  if (known !== undefined) return { outcome: known.facts as PartResult['outcome'], outputs: known.outputs };
  const made = await part.run(session, project, key);
  await session.store.writeAction({ key, outputs: made.outputs, facts: made.outcome });
  return made;
}
