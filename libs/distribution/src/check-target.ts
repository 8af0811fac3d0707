/** The target `check`: rpmlint on a package's RPMs, and its `%check`. It comes after the package's `rpm`, and nothing comes after it. */
import { join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { writeFileAtomic } from '@kiln/host';
import type { Blob } from '@kiln/store';
import { asDiagnostic } from './as-diagnostic.ts';
import { partResult, type CheckPart } from './check-part.ts';
import type { Distribution } from './distribution.ts';
import { junitReport, type TestOutcome } from './junit-report.ts';
import { lintPart } from './lint-part.ts';
import type { PackageProject } from './package-project.ts';
import { buildsBefore, nearestBuilds } from './rpm-target.ts';
import type { Session } from './session.ts';
import { checkLog, reasonNotTo, testPart } from './test-part.ts';
import type { Target } from './targets.ts';

/** In this order. */
const PARTS: readonly CheckPart[] = [lintPart, testPart];

/** Raise it when the same parts give another report. */
const RECIPE_VERSION = 1;

export const checkTarget: Target = {
  before(distribution, id) {
    const project = checkOf(distribution, id);
    return [['rpm', project.id], ...(reasonNotTo(project) === undefined ? buildsBefore(project) : [])];
  },

  nearest(distribution, id) {
    const project = checkOf(distribution, id);
    return [['rpm', project.id], ...(reasonNotTo(project) === undefined ? nearestBuilds(project) : [])];
  },

  async key(session, id) {
    const parts = await openParts(session, checkOf(session.distribution, id));
    return parts && digestOf({ stage: 'check', recipeVersion: RECIPE_VERSION, id, parts: parts.map(({ key }) => key) });
  },

  async build(session, id) {
    const project = checkOf(session.distribution, id);
    const parts = await openParts(session, project);
    if (parts === undefined) throw new BuildError('PLAN_STALE', `a package that the check of ${id} needs is not built`);
    const outcomes: Record<string, TestOutcome> = {};
    const outputs: Record<string, Blob> = {};
    const failures: unknown[] = [];
    for (const { part, key } of parts) {
      try {
        const result = await partResult(session, project, { part, key });
        outcomes[part.name] = result.outcome;
        Object.assign(outputs, result.outputs);
      } catch (error) {
        if (session.host.signal.aborted) throw error;
        failures.push(error);
        outcomes[part.name] = failureOf(error, checkLog(id));
      }
    }
    const report = junitReport(id, outcomes);
    if (failures.length > 0) {
      await writeFileAtomic(join(session.distribution.root, shownPath(id, 'junit.xml')), report);
      throw failures.length === 1 ? failures[0] : bothFailed(project, failures);
    }
    return { outputs: { ...outputs, 'junit.xml': await session.store.putText(report) }, facts: outcomes };
  },

  showAs: (_, id, output) => shownPath(id, output),
  log: checkLog,
};

/** The package as its check sees it. */
export function checkOf(distribution: Distribution, id: string): PackageProject {
  const project = distribution.findPackage(id);
  return project.check ?? project;
}

/** The parts that there are, with their keys; undefined while something that one needs isn't built. */
async function openParts(
  session: Session,
  project: PackageProject,
): Promise<{ readonly part: CheckPart; readonly key: Sha256 }[] | undefined> {
  const found = [];
  for (const part of PARTS) {
    const key = await part.key(session, project);
    if (key === undefined) return undefined;
    if (key !== null) found.push({ part, key });
  }
  return found;
}

/** Where an output is shown; the report also of a check that failed. */
function shownPath(id: string, output: string): string {
  return join('dist', 'checks', output === 'junit.xml' ? `${id}.xml` : `${id}.${output}`);
}

function failureOf(error: unknown, log: string): TestOutcome {
  const details = error instanceof BuildError ? error.diagnostics.map(({ message }) => message) : [];
  const message = [error instanceof Error ? error.message : String(error), ...details].join('\n');
  return { outcome: 'failed', message, ...(error instanceof BuildError && error.log !== undefined ? { log } : {}) };
}

function bothFailed({ id, specFile }: PackageProject, failures: readonly unknown[]): BuildError {
  const found = failures.filter((one): one is BuildError => one instanceof BuildError);
  const log = found.find((one) => one.log !== undefined)?.log;
  return new BuildError('CHECK_FAILED', `the check of ${id} fails twice`, {
    location: { file: specFile, line: 1 },
    diagnostics: found.flatMap((one) => [asDiagnostic(one), ...one.diagnostics]),
    ...(log === undefined ? {} : { log }),
  });
}
