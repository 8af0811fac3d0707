/** What the two identities of a package's build are made of, part by part, and where each part comes from. */
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { buildRequest, packageActionKey } from '@kiln/package-build';
import { toolchainLockFile } from '@kiln/toolchain';
import { BOOTSTRAP_FILE } from './bootstrap-policy.ts';
import { buildInput } from './build-input.ts';
import type { DistroConfig } from './distro-config.ts';
import { DISTRO_FILE } from './distro-config.ts';
import type { PackageProject } from './package-project.ts';
import { SETTINGS_FILE } from './package-settings.ts';
import { planKeys } from './plan-keys.ts';
import type { Session } from './session.ts';

export interface IdentityPart {
  readonly name: string;
  /** Of what the part holds; a short text such as an architecture stands for itself. */
  readonly digest: string;
  /** A file of the workspace, a task, or what Kiln itself brings. */
  readonly from: string;
}

export interface TaskIdentity {
  readonly key: Sha256;
  /** Sorted by name. */
  readonly parts: readonly IdentityPart[];
}

export interface PackageIdentity {
  /** Known without building: what may rebuild. */
  readonly plan: TaskIdentity;
  /** What is built: absent while something that the build needs isn't built. */
  readonly action?: TaskIdentity & { readonly isBuilt: boolean };
}

/** @throws BuildError of the package's diagnostics, `PLAN_STALE`. */
export async function packageIdentity(session: Session, project: PackageProject): Promise<PackageIdentity> {
  const { config } = session.distribution;
  const planned = planKeys(session.distribution).get(`rpm:${project.id}`)!;
  const plan = { key: planned.key, parts: partsOf(planned.parts, (name) => sourceOfPlanPart(config, name)) };
  const input = project.member === undefined ? await buildInput(session, project) : undefined;
  if (input === undefined) return { plan };
  const requested = Object.fromEntries(requestParts(buildRequest(input.request)));
  const key = packageActionKey(input.request);
  const isBuilt = (await session.store.readAction(key)) !== undefined;
  return {
    plan,
    action: { key, parts: partsOf(requested, (name) => sourceOfRequestPart(config, project, name)), isBuilt },
  };
}

function partsOf(digests: Readonly<Record<string, string>>, sourceOf: (name: string) => string): IdentityPart[] {
  return Object.keys(digests)
    .sort()
    .map((name) => ({ name, digest: digests[name]!, from: sourceOf(name) }));
}

/** Every field of the request, named things one by one: nothing that the key is made of is left out. */
function requestParts(request: object): [string, string][] {
  return Object.entries(request).flatMap(([field, value]: [string, unknown]): [string, string][] => {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    if (list.every(isNamed)) {
      return list.map(({ name, ...rest }): [string, string] => [`${field}:${name}`, shortOrDigest(rest)]);
    }
    return [[field, shortOrDigest(value)]];
  });
}

function isNamed(value: unknown): value is { readonly name: string } {
  return typeof value === 'object' && value !== null && 'name' in value;
}

/** A thing that is known by one digest is that; texts and numbers are themselves. */
function shortOrDigest(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const digests = Object.values(value);
  return digests.length === 1 && typeof digests[0] === 'string' ? digests[0] : digestOf(value);
}

function sourceOfPlanPart(config: DistroConfig, name: string): string {
  const [task] = /^rpm(?:-bootstrap)?:.*/.exec(name) ?? [];
  return task === undefined ? (sharedSources(config)[name] ?? name) : `the plan key of ${task}`;
}

function sourceOfRequestPart(config: DistroConfig, project: PackageProject, name: string): string {
  const [field = name, one = ''] = name.split(/:(.*)/s);
  const named: Readonly<Record<string, string>> = {
    spec: project.specFile,
    sources: `${project.directory}/${one} or where its signature says`,
    macroFiles: 'the macro files of toolkit/distro.json',
    root: `the RPM ${one}, by its content`,
  };
  return named[field] ?? sharedSources(config)[name] ?? 'Kiln';
}

/** Of parts that both identities have, and those that stand for several things of the workspace. */
function sharedSources({ toolchain }: DistroConfig): Readonly<Record<string, string>> {
  return {
    architecture: DISTRO_FILE,
    checks: `${DISTRO_FILE}, ${SETTINGS_FILE}`,
    commands: `${DISTRO_FILE}, ${SETTINGS_FILE}`,
    defines: `${DISTRO_FILE}, ${SETTINGS_FILE}`,
    limits: SETTINGS_FILE,
    network: SETTINGS_FILE,
    recipe: 'Kiln',
    root: 'the names of the RPMs that are planned to be in the build root',
    seeds: BOOTSTRAP_FILE,
    settings: SETTINGS_FILE,
    toolchain: toolchainLockFile(toolchain),
  };
}
