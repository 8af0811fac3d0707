/** The part `rpmlint` of a check: what rpmlint says of the RPMs that were built, judged by the distribution. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { LINT_RECIPE_VERSION, lintPackages, type LintFinding } from '@kiln/package-build';
import { loadDebianToolchain, toolchainLayer, type DebianToolchain } from '@kiln/toolchain';
import type { ActionResult } from '@kiln/store';
import { packageResult } from './built-providers.ts';
import type { CheckPart } from './check-part.ts';
import type { Distribution } from './distribution.ts';
import type { DistroConfig } from './distro-config.ts';
import { judgeFindings, type LintPolicy } from './lint-policy.ts';
import type { PackageProject } from './package-project.ts';

export const lintPart: CheckPart = {
  name: 'rpmlint',

  async key(session, project) {
    const identity = lintIdentity(session.distribution, project);
    if (identity === undefined) return null;
    const { result } = await session.state('rpm', project.id);
    if (result === undefined) return undefined;
    const rpms = Object.entries(looksAt(result)).map(([name, blob]) => [name, blob.sha256] as const);
    return digestOf({ stage: 'lint', ...identity, rpms: Object.fromEntries(rpms) });
  },

  async run(session, project) {
    const { toolchain, config } = lintSetUp(session.distribution)!;
    const rpms = looksAt((await session.state('rpm', project.id)).result!);
    const { root: layer } = await toolchainLayer(session.host, session.store, toolchain.lock.packages);
    session.host.emit({ type: 'progress', action: 'check', subject: project.id, message: 'rpmlint' });
    const findings = await lintPackages(session.host, session.store, { id: project.id, layer, config, rpms });
    const judged = judgeFindings(findings, lintPolicy(session.distribution, project));
    for (const { code, message } of judged)
      if (code === 'WAIVER_UNUSED')
        session.host.emit({ type: 'notice', severity: 'warning', code, message: `${project.id}: ${message}` });
    const errors = judged.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) throw lintFailed(project, errors);
    const report = findings.map(lineOf).join('');
    return { outcome: { outcome: 'passed' }, outputs: { 'rpmlint.txt': await session.store.putText(report) } };
  },
};

/** Binary RPMs but those with debug information, which rpm makes by itself; specs have `kiln spec lint`. */
function looksAt(result: Pick<ActionResult, 'facts' | 'outputs'>): ActionResult['outputs'] {
  const wanted = packageResult(result).rpms.filter(
    ({ kind, name }) => kind === 'binary' && !/-debug(?:info|source)$/.test(name),
  );
  return Object.fromEntries(wanted.map(({ fileName }) => [fileName, result.outputs[fileName]!]));
}

interface LintSetUp {
  readonly toolchain: DebianToolchain;
  readonly config: string;
}

const setUps = new WeakMap<Distribution, LintSetUp>();

/** What the distribution says of rpmlint, read once; undefined when nothing. @throws BuildError as `loadDebianToolchain`; `LINT_UNUSABLE`. */
function lintSetUp(distribution: Distribution): LintSetUp | undefined {
  const { lint } = distribution.config;
  if (lint === undefined) return undefined;
  let setUp = setUps.get(distribution);
  if (setUp === undefined) setUps.set(distribution, (setUp = readSetUp(distribution.root, lint)));
  return setUp;
}

function readSetUp(root: string, lint: NonNullable<DistroConfig['lint']>): LintSetUp {
  try {
    return { toolchain: loadDebianToolchain(root, lint), config: readFileSync(join(root, lint.config), 'utf8') };
  } catch (cause) {
    if (cause instanceof BuildError) throw cause;
    throw new BuildError('LINT_UNUSABLE', `${lint.config} can't be read`, { cause });
  }
}

/** All that the outcome depends on beside the RPMs; undefined when nothing is looked at. */
export function lintIdentity(
  distribution: Distribution,
  project: Pick<PackageProject, 'settings'>,
): object | undefined {
  const setUp = lintSetUp(distribution);
  if (setUp === undefined) return undefined;
  return {
    recipeVersion: LINT_RECIPE_VERSION,
    layer: setUp.toolchain.layerIdentity,
    config: sha256(setUp.config),
    policy: lintPolicy(distribution, project),
  };
}

function lintPolicy({ config }: Distribution, { settings }: Pick<PackageProject, 'settings'>): LintPolicy {
  return { off: config.lint?.off ?? {}, waivers: settings?.lint ?? [] };
}

function lineOf({ severity, subject, rule, details }: LintFinding): string {
  return `${`${subject}: ${severity}: ${rule} ${details}`.trimEnd()}\n`;
}

function lintFailed({ id, specFile }: PackageProject, errors: BuildError['diagnostics']): BuildError {
  const count = `${errors.length} error${errors.length === 1 ? '' : 's'}`;
  return new BuildError('LINT_FAILED', `rpmlint finds ${count} in the RPMs of ${id}`, {
    location: { file: specFile, line: 1 },
    diagnostics: errors,
    hint: 'mend the spec, or state in toolkit/packages.json ("lint") why it is right so',
  });
}
