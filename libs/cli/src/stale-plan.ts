/** Plans that builds contradict: the records are brought up to date and the change is shown; under `--frozen` it is an error. */
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { recordProvides, Session, type Distribution, type RecordedProvides } from '@kiln/distribution';
import { hostOf, print, type CommandContext } from './context.ts';
import { tasksInOrder, type Task } from './run-tasks.ts';

/** Lines of one record's change that are shown. */
const SHOWN_CHANGES = 20;

/** CI must not correct what a commit says, unless it is told to. */
export function isFrozen(
  { frozen }: { readonly frozen?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return frozen ?? !['', 'false', '0'].includes(environment['CI'] ?? '');
}

/**
 * Packages among the tasks whose generated BuildRequires aren't known for the present plan, as tasks; of those that need one another
 * only the first, because the answer of one may change the root of the next.
 */
export async function openBuildRequires(session: Session, tasks: readonly Task[]): Promise<Task[]> {
  const { distribution } = session;
  const open = new Set<string>();
  for (const [target, id] of tasks) {
    if (target !== 'rpm' || distribution.findPackage(id).sourcePackage?.generatesBuildRequires !== true) continue;
    if (!(await hasResult(session, id))) open.add(id);
  }
  const needsOther = (id: string): boolean =>
    tasksInOrder(distribution, [['buildrequires', id]]).some(
      ([target, before]) => target === 'rpm' && open.has(before),
    );
  return [...open].filter((id) => !needsOther(id)).map((id): Task => ['buildrequires', id]);
}

/** A package that can't be planned says so when it is built. */
async function hasResult(session: Session, id: string): Promise<boolean> {
  try {
    return (await session.state('buildrequires', id)).result !== undefined;
  } catch {
    return true;
  }
}

/** Writes the records that differ from what is built, and shows how; whether there were any. */
export async function correctPlan(
  context: CommandContext,
  distribution: Distribution,
  tasks: readonly Task[],
): Promise<boolean> {
  const ids = packagesOf(tasks);
  const built = distribution.packages.filter(({ id }) => ids.has(id));
  const recorded = await recordProvides(new Session(distribution, hostOf(context)), built);
  const changed = recorded.filter(({ outcome }) => outcome === 'changed');
  for (const one of changed) print(context, `recorded ${changeLines(one).join('\n')}`);
  return changed.length > 0;
}

/** @throws BuildError `PROVIDES_CHANGED` when a record of the tree isn't what the builds of these tasks say. */
export async function requireRecorded(
  context: CommandContext,
  distribution: Distribution,
  tasks: readonly Task[],
): Promise<void> {
  const ids = packagesOf(tasks);
  const recorded = distribution.packages.filter(({ id, record }) => ids.has(id) && record !== undefined);
  const outcomes = await recordProvides(new Session(distribution, hostOf(context)), recorded, { frozen: true });
  const changed = outcomes.filter(({ outcome }) => outcome === 'changed');
  if (changed.length === 0) return;
  throw new BuildError('PROVIDES_CHANGED', `${changed.length} records differ from what was built`, {
    diagnostics: changed.map((one): Diagnostic => ({
      severity: 'error',
      code: 'PROVIDES_CHANGED',
      message: changeLines(one).join('\n'),
      location: { file: one.file, line: 1 },
    })),
    hint: 'run the same command without --frozen (and without CI=true), and commit the records',
  });
}

function packagesOf(tasks: readonly Task[]): ReadonlySet<string> {
  return new Set(tasks.filter(([target]) => target === 'rpm' || target === 'buildrequires').map(([, id]) => id));
}

function changeLines({ file, changes }: RecordedProvides): string[] {
  const shown = changes.slice(0, SHOWN_CHANGES).map((change) => `  ${change}`);
  const more = changes.length - shown.length;
  return [`${file}:`, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])];
}
