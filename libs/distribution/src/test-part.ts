/** The part `%check` of a check, where its build asked for what tests need. */
import { join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { checkPackage, checkRequest, removeBuildTree } from '@kiln/package-build';
import { buildInput, preparedBuild, type BuildInput } from './build-input.ts';
import { treeFor } from './build-trees.ts';
import type { CheckPart } from './check-part.ts';
import { inputChanged } from './input-changed.ts';
import type { PackageProject } from './package-project.ts';
import { skipReason } from './package-settings.ts';

export const testPart: CheckPart = {
  name: '%check',

  async key(session, project) {
    const reason = reasonNotTo(project);
    if (reason !== undefined) return digestOf({ stage: 'check', id: project.id, reason });
    const input = await buildInput(session, project);
    return input === undefined ? undefined : keyOf(input);
  },

  async run(session, project, key) {
    const reason = reasonNotTo(project);
    if (reason !== undefined) return { outcome: { outcome: 'skipped', reason }, outputs: {} };
    const { id } = project;
    const input = await buildInput(session, project);
    if (input === undefined) throw new BuildError('PLAN_STALE', `a package that the check of ${id} needs is not built`);
    if (keyOf(input) !== key) throw inputChanged('check', id);
    const build = await preparedBuild(session, input, { target: 'check', log: checkLog(id) });
    const tree = await treeFor(session, input);
    try {
      const { attempts } = await checkPackage(session.host, session.store, build, tree);
      return { outcome: { outcome: 'passed', attempts }, outputs: {} };
    } finally {
      if (tree !== undefined) await removeBuildTree(session.host, tree);
    }
  },
};

function keyOf({ project, request }: BuildInput): Sha256 {
  return digestOf({ id: project.id, request: checkRequest(request) });
}

/** Why there is nothing to run; undefined when there is. A spec that can't be evaluated is an error of the build. */
export function reasonNotTo(project: PackageProject): string | undefined {
  return project.sourcePackage?.hasCheck === false ? 'the spec has no %check' : skipReason(project);
}

/** Workspace-relative path. */
export function checkLog(id: string): string {
  return join('dist', 'logs', 'check', `${id}.log`);
}
