/** The `rpm` target: a source package to its source and binary RPMs. */
import { basename, join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import {
  buildPackage,
  DEFAULT_LIMITS,
  packageActionKey,
  type BuildRequestInput,
  type PackageResult,
  type RootRpm,
} from '@kiln/package-build';
import { ProviderIndex, resolveClosure, type Provider } from '@kiln/package-graph';
import { formatDependency, formatEvr, type Dependency, type SourcePackage } from '@kiln/rpm-package';
import { fetchSources } from '@kiln/sources';
import type { ActionResult, Blob } from '@kiln/store';
import type { Distribution } from './distribution.ts';
import type { PackageProject } from './package-project.ts';
import { pinnedSources, type PinnedSource } from './pinned-sources.ts';
import { TOOLCHAIN_ORIGIN } from './plan.ts';
import type { Session } from './session.ts';
import { sourcePlaces } from './source-places.ts';
import type { Target } from './targets.ts';
import { throwDiagnostics } from './throw-diagnostics.ts';

export const rpmTarget: Target = {
  before: (distribution, id) => [
    ['toolchain', TOOLCHAIN_ORIGIN],
    ...distribution.findPackage(id).dependencies.map((dependency) => ['rpm', dependency] as const),
  ],

  async key(session, id) {
    const input = await requestInput(session, id);
    return input === undefined ? undefined : packageActionKey(input.request);
  },

  async build(session, id) {
    const input = await requestInput(session, id);
    if (input === undefined) throw new BuildError('PLAN_STALE', `a package that ${id} depends on is not built`);
    const { project, source, request, root, sources } = input;
    const { host, store, distribution } = session;
    const fetched = await fetchSources(host, store, {
      requests: sources.flatMap((one) => (one.localPath === undefined ? [one] : [])),
      places: sourcePlaces(distribution.root, distribution.config),
    });
    const files = sources.map((one) => ({
      name: one.fileName,
      path: one.localPath === undefined ? fetched.pathOf(one.sha256) : join(distribution.root, one.localPath),
      sha256: one.sha256,
    }));
    return buildPackage(host, store, {
      id,
      request,
      source,
      specText: project.specText,
      files,
      macroFiles: distribution.macroFiles.map(({ slot, text }) => ({ name: slot, text })),
      root,
      toolchain: await session.toolchain(),
      log: join(distribution.root, rpmTarget.log(id)),
    });
  },

  showAs: ({ config: { architecture } }, _, output) =>
    output.endsWith('.src.rpm') ? join('dist', 'srpms', output) : join('dist', 'rpms', architecture, output),

  log: (id) => join('dist', 'logs', 'rpm', `${id}.log`),
};

/** The facts of a complete `rpm` task. */
export function packageResult(result: ActionResult): PackageResult {
  return result.facts as PackageResult;
}

/** Binary RPMs of complete tasks as providers with their blobs. */
export function builtProviders(id: string, result: ActionResult): BuiltProvider[] {
  return packageResult(result)
    .rpms.filter(({ kind }) => kind === 'binary')
    .map((rpm) => ({ ...rpm, origin: id, files: rpm.paths, blob: result.outputs[rpm.fileName]! }));
}

/** A built RPM that can be chosen. */
export interface BuiltProvider extends Provider {
  readonly fileName: string;
  readonly artifact: RootRpm['artifact'];
  readonly content: RootRpm['content'];
  readonly buildTime: number;
  readonly blob: Blob;
}

interface RequestInput {
  readonly project: PackageProject;
  readonly source: SourcePackage;
  readonly request: BuildRequestInput;
  readonly root: readonly RootRpm[];
  readonly sources: readonly PinnedSource[];
}

async function requestInput(session: Session, id: string): Promise<RequestInput | undefined> {
  const { distribution } = session;
  const project = distribution.findPackage(id);
  const source = usableSource(project);
  const providers: BuiltProvider[] = [];
  for (const dependency of project.dependencies) {
    const { result } = await session.state('rpm', dependency);
    if (result === undefined) return undefined;
    providers.push(...builtProviders(dependency, result));
  }
  const root = rootRpms(project, source, { distribution, providers });
  const sources = pinnedSources(distribution.root, project);
  const request: BuildRequestInput = {
    architecture: distribution.config.architecture,
    spec: { name: basename(project.specFile), sha256: sha256(project.specText) },
    sources: sources.map(({ fileName, sha256: digest }) => ({ name: fileName, sha256: digest })),
    macroFiles: distribution.macroFiles.map(({ slot, text }) => ({ name: slot, sha256: sha256(text) })),
    defines: distribution.config.defines,
    toolchain: distribution.toolchain.identity,
    root: root.map(({ name, content, evr }) => ({
      name,
      content,
      ...(isPinned(source, name) ? { evr: formatEvr(evr) } : {}),
    })),
    limits: DEFAULT_LIMITS,
  };
  return { project, source, request, root, sources };
}

/** @throws BuildError of the package's diagnostics. */
function usableSource({ specFile, diagnostics, sourcePackage }: PackageProject): SourcePackage {
  throwDiagnostics(specFile, diagnostics);
  if (sourcePackage === undefined) throw new BuildError('PROJECT_BROKEN', `${specFile} could not be evaluated`);
  return sourcePackage;
}

interface RootContext {
  readonly distribution: Distribution;
  readonly providers: readonly BuiltProvider[];
}

/** The RPMs of the build root: the run-time closure of BuildRequires over what was really built. */
function rootRpms(project: PackageProject, source: SourcePackage, { distribution, providers }: RootContext): RootRpm[] {
  const index = new ProviderIndex([distribution.toolchain.provider, ...providers]);
  const closure = resolveClosure(index, source.buildRequires, { preferredOrigin: TOOLCHAIN_ORIGIN });
  const lack = closure.unresolved[0];
  if (lack !== undefined) throw planStale(project, lack.dependency, lack.requiredBy);
  return closure.members.flatMap((member) => {
    const built = providers.find((one) => one === member);
    return built === undefined ? [] : [built];
  });
}

function planStale(project: PackageProject, dependency: Dependency, requiredBy: string | undefined): BuildError {
  const by = requiredBy === undefined ? project.specFile : `the built RPM ${requiredBy}`;
  return new BuildError(
    'PLAN_STALE',
    `${by} requires '${formatDependency(dependency)}', which the plan of ${project.id} didn't foresee`,
    {
      location: { file: project.specFile, line: 1 },
      hint: 'run `kiln provides` to record what the built RPMs provide and require, then run the same command again',
    },
  );
}

/** Whether the package asks for one exact version-release of another: then it can see that package's EVR. */
function isPinned({ buildRequires }: SourcePackage, name: string): boolean {
  return buildRequires.some((one) => one.name === name && one.operator === '=' && one.evr?.release !== undefined);
}
