/** The targets `rpm` and `rpm-bootstrap`: a source package to its source and binary RPMs. */
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildPackage, keepBuildTree, packageActionKey } from '@kiln/package-build';
import type { ActionResult } from '@kiln/store';
import { finalRpms } from './bootstrap-trace.ts';
import { buildInput, preparedBuild } from './build-input.ts';
import { packageResult } from './built-providers.ts';
import { wantsTree } from './build-trees.ts';
import type { Distribution } from './distribution.ts';
import { inputChanged } from './input-changed.ts';
import { reportChanges } from './package-changes.ts';
import type { PackageProject } from './package-project.ts';
import { wrongPredictions } from './predictions-check.ts';
import type { Session } from './session.ts';
import type { Target, TargetName } from './targets.ts';
import { throwDiagnostics } from './throw-diagnostics.ts';
import { memberKey, memberResult } from './toolchain-members.ts';
import { TOOLCHAIN_ORIGIN } from './universe.ts';

export const rpmTarget = packageTarget('rpm', {
  projectOf: (distribution, id) => distribution.findPackage(id),
  async check(session, project, result) {
    finalRpms(project, result);
    await reportChanges(session, project, { key: result.key, result: packageResult(result) });
    for (const { message } of wrongPredictions(project, packageResult(result)))
      session.host.emit({ type: 'notice', severity: 'warning', code: 'PREDICTION_WRONG', message });
  },
  showAs: (architecture, output) =>
    output.endsWith('.src.rpm') ? join('dist', 'srpms', output) : join('dist', 'rpms', architecture, output),
});

/** Its RPMs are shown nowhere: they are in the store for the builds that the policy names, and nobody else gets them. */
export const rpmBootstrapTarget = packageTarget('rpm-bootstrap', {
  projectOf: bootstrapOf,
  check: () => Promise.resolve(),
  showAs: () => undefined,
});

interface PackageTarget {
  projectOf(distribution: Distribution, id: string): PackageProject;
  /** @throws BuildError for RPMs that must not get further. */
  check(session: Session, project: PackageProject, result: ActionResult): Promise<void>;
  showAs(architecture: string, output: string): string | undefined;
}

function packageTarget(name: TargetName, { projectOf, check, showAs }: PackageTarget): Target {
  const log = (id: string): string => join('dist', 'logs', name, `${id}.log`);
  return {
    before: (distribution, id) => buildsBefore(projectOf(distribution, id)),
    nearest: (distribution, id) => nearestBuilds(projectOf(distribution, id)),

    async key(session, id) {
      const project = projectOf(session.distribution, id);
      if (project.member !== undefined) return memberKey(usable(project).member!);
      const input = await buildInput(session, project);
      return input === undefined ? undefined : packageActionKey(input.request);
    },

    async build(session, id, key) {
      const project = projectOf(session.distribution, id);
      if (project.member !== undefined) return memberResult(session, project, project.member);
      const input = await buildInput(session, project);
      if (input === undefined) throw new BuildError('PLAN_STALE', `a package that ${id} depends on is not built`);
      if (packageActionKey(input.request) !== key) throw inputChanged(name, id);
      const build = await preparedBuild(session, input, { target: name, log: log(id) });
      const keep = name === 'rpm' && (await wantsTree(session, project));
      const result = await buildPackage(session.host, session.store, build, async (place) => {
        if (keep) session.trees.keep(key, await keepBuildTree(session.host, session.store, place));
      }).catch((error: unknown) => {
        throw input.source.generatesBuildRequires ? asStale(project, error) : error;
      });
      await check(session, project, { key, ...result });
      return result;
    },

    showAs: ({ config }, _, output) => showAs(config.architecture, output),
    log,
  };
}

/** @throws BuildError of the package's diagnostics. */
function usable(project: PackageProject): PackageProject {
  throwDiagnostics(project.specFile, project.diagnostics);
  return project;
}

/** Those of `buildsBefore` from which the others follow. */
export function nearestBuilds({ after }: PackageProject) {
  return [['toolchain', TOOLCHAIN_ORIGIN] as const, ...after];
}

/** Tasks that must be done before a package is built. */
export function buildsBefore({ dependencies, bootstrapDependencies }: PackageProject) {
  return [
    ['toolchain', TOOLCHAIN_ORIGIN] as const,
    ...dependencies.map((id) => ['rpm', id] as const),
    ...bootstrapDependencies.map((id) => ['rpm-bootstrap', id] as const),
  ];
}

/** @throws BuildError `NO_BOOTSTRAP`. */
function bootstrapOf(distribution: Distribution, id: string): PackageProject {
  const { bootstrap } = distribution.findPackage(id);
  if (bootstrap !== undefined) return bootstrap;
  throw new BuildError('NO_BOOTSTRAP', `${id} has no bootstrap build`, {
    hint: 'toolkit/bootstrap.json names the packages that have one',
  });
}

/** rpmbuild asks for BuildRequires that weren't there when they were recorded. */
function asStale({ id, specFile }: PackageProject, error: unknown): unknown {
  if (!(error instanceof BuildError) || error.code !== 'BUILD_REQUIRES_MISSING') return error;
  return new BuildError(
    'PLAN_STALE',
    `%generate_buildrequires asks for what the plan didn't foresee: ${error.message}`,
    {
      location: { file: specFile, line: 1 },
      hint: `\`kiln build ${id}\` records what it asks for, and goes on`,
      log: error.log,
      cause: error,
    },
  );
}
