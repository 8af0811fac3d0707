/** What the build of a package consists of: its request, its root from what was really built, its sources. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { type BuildFile, type BuildRequestInput, type PackageBuild, type RootRpm } from '@kiln/package-build';
import { resolveClosure, type Provider, type Unresolved } from '@kiln/package-graph';
import { formatDependency, formatEvr, type SourcePackage } from '@kiln/rpm-package';
import { fetchSources } from '@kiln/sources';
import { BOOTSTRAP_FILE, seedProvider, type SeedRpm } from './bootstrap-policy.ts';
import type { BuiltProvider } from './built-providers.ts';
import type { PackageProject } from './package-project.ts';
import { requestSettings } from './package-settings.ts';
import { pinnedSources, type PinnedSource } from './pinned-sources.ts';
import type { Session } from './session.ts';
import { checkPolicy } from './check-policy.ts';
import { type BuildSite, packageToolchain, requestedToolchain } from './package-toolchain.ts';
import { sourcePlaces } from './source-places.ts';
import type { TargetName } from './targets.ts';
import { throwDiagnostics } from './throw-diagnostics.ts';
import { bootstrapOrigin, buildRequiresOf, TOOLCHAIN_ORIGIN } from './universe.ts';

export interface BuildInput {
  readonly project: PackageProject;
  readonly source: SourcePackage;
  readonly request: BuildRequestInput;
  readonly root: readonly RootRpm[];
  readonly sources: readonly PinnedSource[];
}

/**
 * Undefined while something that the build needs isn't built.
 * @throws BuildError of the package's diagnostics, `PLAN_STALE`.
 */
export async function buildInput(session: Session, project: PackageProject): Promise<BuildInput | undefined> {
  const { distribution } = session;
  const source = usableSource(project);
  const providers: BuiltProvider[] = project.seeds.map(seedOf);
  for (const id of project.dependencies) {
    const { result } = await session.state('rpm', id);
    if (result === undefined) return undefined;
    providers.push(...session.built.providers(id, result));
  }
  for (const id of project.bootstrapDependencies) {
    const { result } = await session.state('rpm-bootstrap', id);
    if (result === undefined) return undefined;
    providers.push(...session.built.providers(bootstrapOrigin(id), result));
  }
  const root = rootRpms(session, project, providers);
  const sources = pinnedSources(distribution.root, project);
  const request: BuildRequestInput = {
    architecture: distribution.config.architecture,
    spec: { name: basename(project.specFile), sha256: project.spec.digest },
    sources: sources.map(({ fileName, sha256: digest }) => ({ name: fileName, sha256: digest })),
    macroFiles: distribution.macroFiles.map(({ slot, text }) => ({ name: slot, sha256: sha256(text) })),
    defines: project.defines ?? distribution.config.defines,
    ...requestedToolchain(distribution, project),
    root: root.map(({ name, content, evr }) => ({
      name,
      content,
      ...(isPinned(source, name) ? { evr: formatEvr(evr) } : {}),
    })),
    ...requestSettings(project.settings),
    checks: checkPolicy(distribution.config, project.settings),
  };
  return { project, source, request, root, sources };
}

/** Everything that the build reads, in its place: sources and seeds are fetched, the toolchain is made. */
export async function preparedBuild(
  site: BuildSite,
  { project, source, request, root, sources }: BuildInput,
  { target, log }: { readonly target: TargetName; readonly log: string },
): Promise<PackageBuild> {
  const { host, store, distribution } = site;
  const seeds = project.seeds.map(({ fileName, sha256: digest, url }) => ({
    fileName,
    sha256: digest as Sha256,
    url,
    location: { file: BOOTSTRAP_FILE, line: 1 },
  }));
  const fetched = await fetchSources(host, store, {
    requests: [...sources.filter(({ localPath }) => localPath === undefined), ...seeds],
    places: sourcePlaces(distribution.root, distribution.config),
    task: { action: target, subject: project.id },
  });
  const sizes = new Map<string, number>();
  for (const seed of seeds) sizes.set(seed.sha256, (await stat(fetched.pathOf(seed.sha256))).size);
  const sized = ({ blob, ...rest }: RootRpm): RootRpm => ({
    ...rest,
    blob: { ...blob, size: sizes.get(blob.sha256) ?? blob.size },
  });
  const files = sources.map((one): BuildFile => ({
    name: one.fileName,
    path: one.localPath === undefined ? fetched.pathOf(one.sha256) : join(distribution.root, one.localPath),
    sha256: one.sha256,
  }));
  return {
    id: project.id,
    target,
    request,
    source,
    specText: project.spec.text,
    files,
    macroFiles: distribution.macroFiles.map(({ slot, text }) => ({ name: slot, text })),
    root: root.map(sized),
    toolchain: await packageToolchain(site, project),
    log: join(distribution.root, log),
    flakyCheck: 'flaky' in (project.settings?.check ?? {}),
  };
}

/** @throws BuildError of the package's diagnostics. */
function usableSource({ specFile, diagnostics, sourcePackage }: PackageProject): SourcePackage {
  throwDiagnostics(specFile, diagnostics);
  if (sourcePackage === undefined) throw new BuildError('PROJECT_BROKEN', `${specFile} could not be evaluated`);
  return sourcePackage;
}

/** A seed is what its digest says; its size is known when it is there. */
function seedOf(seed: SeedRpm): BuiltProvider {
  const digest = seed.sha256 as Sha256;
  return {
    ...seedProvider(seed),
    fileName: seed.fileName,
    artifact: digest,
    content: digest,
    buildTime: 0,
    blob: { sha256: digest, size: 0 },
  };
}

/** The RPMs of the build root: the run-time closure of BuildRequires over what was really built. */
function rootRpms(
  { distribution, built }: Session,
  project: PackageProject,
  providers: readonly BuiltProvider[],
): RootRpm[] {
  const closure = resolveClosure(built.among(providers), buildRequiresOf(project), {
    preferredOrigin: TOOLCHAIN_ORIGIN,
    declared: new Map(Object.entries(distribution.config.choices ?? {})),
  });
  const lack = closure.unresolved[0];
  if (lack !== undefined) throw planStale(project, lack);
  const own = new Set<Provider>(providers);
  return closure.members.filter((member): member is BuiltProvider => own.has(member));
}

function planStale(project: PackageProject, { dependency, requiredBy }: Unresolved): BuildError {
  const by = requiredBy === undefined ? project.specFile : `the built RPM ${requiredBy}`;
  const guess = project.predictions.find(({ capability }) => capability === dependency.name);
  const expected =
    guess === undefined
      ? ''
      : `; ${guess.package} was expected to provide it, concluded from '${guess.evidence}', and doesn't`;
  return new BuildError(
    'PLAN_STALE',
    `${by} requires '${formatDependency(dependency)}', which the plan of ${project.id} didn't foresee${expected}`,
    {
      location: { file: project.specFile, line: 1 },
      hint: `\`kiln build ${project.id}\` records what the built RPMs provide and require, and goes on`,
    },
  );
}

/** Whether the package asks for one exact version-release of another: then it can see that package's EVR. */
function isPinned({ buildRequires }: SourcePackage, name: string): boolean {
  return buildRequires.some((one) => one.name === name && one.operator === '=' && one.evr?.release !== undefined);
}
