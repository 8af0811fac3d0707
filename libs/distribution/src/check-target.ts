/**
 * The target `check`: runs the `%check` of a package, where its build asked for what tests need. It comes after the package's own
 * `rpm`, and nothing comes after it.
 */
import { join } from 'node:path';
import { digestOf } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { writeFileAtomic } from '@kiln/host';
import { CHECK_RECIPE_VERSION, checkPackage, checkRequest } from '@kiln/package-build';
import type { ActionResult } from '@kiln/store';
import { buildInput, preparedBuild } from './build-input.ts';
import type { Distribution } from './distribution.ts';
import { junitReport, type TestOutcome } from './junit-report.ts';
import type { PackageProject } from './package-project.ts';
import { skipReason } from './package-settings.ts';
import { buildsBefore } from './rpm-target.ts';
import type { Session } from './session.ts';
import type { Target } from './targets.ts';

export const checkTarget: Target = {
  before(distribution, id) {
    const project = checkOf(distribution, id);
    return [['rpm', project.id], ...(reasonNotTo(project) === undefined ? buildsBefore(project) : [])];
  },

  async key(session, id) {
    const project = checkOf(session.distribution, id);
    const reason = reasonNotTo(project);
    if (reason !== undefined) return digestOf({ stage: 'check', recipeVersion: CHECK_RECIPE_VERSION, id, reason });
    const input = await buildInput(session, project);
    return input === undefined ? undefined : digestOf({ id, request: checkRequest(input.request) });
  },

  async build(session, id) {
    const project = checkOf(session.distribution, id);
    const reason = reasonNotTo(project);
    if (reason !== undefined) return resultOf(session, id, { outcome: 'skipped', reason });
    const input = await buildInput(session, project);
    if (input === undefined) throw new BuildError('PLAN_STALE', `a package that the check of ${id} needs is not built`);
    const build = await preparedBuild(session, input, { target: 'check', log: checkTarget.log(id) });
    try {
      const { attempts } = await checkPackage(session.host, session.store, build);
      return await resultOf(session, id, { outcome: 'passed', attempts });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const report = junitReport(id, { outcome: 'failed', message, log: checkTarget.log(id) });
      if (!session.host.signal.aborted) await writeFileAtomic(join(session.distribution.root, reportPath(id)), report);
      throw error;
    }
  },

  showAs: (_, id) => reportPath(id),
  log: (id) => join('dist', 'logs', 'check', `${id}.log`),
};

/** The package as its check sees it. */
export function checkOf(distribution: Distribution, id: string): PackageProject {
  const project = distribution.findPackage(id);
  return project.check ?? project;
}

/** Why there is nothing to run; undefined when there is. A spec that can't be evaluated is an error of the build. */
function reasonNotTo(project: PackageProject): string | undefined {
  return project.sourcePackage?.hasCheck === false ? 'the spec has no %check' : skipReason(project);
}

/** Where the report is shown, also that of a check that failed. */
function reportPath(id: string): string {
  return join('dist', 'checks', `${id}.xml`);
}

async function resultOf({ store }: Session, id: string, outcome: TestOutcome): Promise<Omit<ActionResult, 'key'>> {
  return { outputs: { 'junit.xml': await store.putText(junitReport(id, outcome)) }, facts: outcome };
}
