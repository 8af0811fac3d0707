/** Plan keys: what may rebuild. Known without building anything; a task's key covers everything before it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, sha256, type Sha256 } from '@kiln/build-identity';
import { CHECK_RECIPE_VERSION, PACKAGE_RECIPE_VERSION } from '@kiln/package-build';
import { IMAGE_RECIPE_VERSION, usesImageTools } from '@kiln/image-build';
import { checkPolicy } from './check-policy.ts';
import type { Distribution } from './distribution.ts';
import type { ImageProject, PackageProject } from './package-project.ts';
import { systemsOf } from './image-target.ts';
import { lintIdentity } from './lint-part.ts';
import { identityOfSettings, skipReason } from './package-settings.ts';
import { signaturesPath } from './pinned-sources.ts';
import { requestedToolchain } from './package-toolchain.ts';
import { plannedToolRoot } from './tool-roots.ts';
import { memberKey, type ToolchainMember } from './toolchain-members.ts';
import { TOOLCHAIN_ORIGIN } from './universe.ts';

/** A task's plan key and the parts it is made of, by a name that a person understands. */
export interface PlanKey {
  readonly key: Sha256;
  readonly parts: Readonly<Record<string, string>>;
}

/** One difference of a task between two plans. */
export interface PlanChange {
  readonly task: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** The parts that differ, for example `SPECS/sed/sed.spec` or `rpm:ncurses/ncurses`. */
  readonly reasons: readonly string[];
}

/** Plan keys of all tasks by `target:id`. */
export function planKeys(distribution: Distribution): Map<string, PlanKey> {
  const { config, toolchain, packages, images } = distribution;
  const keys = new Map<string, PlanKey>();
  keys.set(`toolchain:${TOOLCHAIN_ORIGIN}`, { key: toolchain.identity, parts: { toolchain: toolchain.identity } });
  const common = commonParts(distribution);
  for (const project of packages) {
    packageKey({ distribution, common, keys }, ['rpm', project]);
    if (project.bootstrap !== undefined)
      packageKey({ distribution, common, keys }, ['rpm-bootstrap', project.bootstrap]);
    checkKey({ distribution, common, keys }, project);
  }
  const ids = packages.map(({ id }) => `rpm:${id}`);
  keys.set(`repository:${config.name}`, followingKey([`toolchain:${TOOLCHAIN_ORIGIN}`, ...ids], keys));
  for (const image of images) {
    imageKey(distribution, image, keys);
    keys.set(`boot-test:${image.name}`, followingKey([`image:${image.name}`], keys));
  }
  return keys;
}

/** The key of a task that follows from others alone. */
function followingKey(tasks: readonly string[], keys: ReadonlyMap<string, PlanKey>): PlanKey {
  const parts = Object.fromEntries(tasks.map((task) => [task, keys.get(task)?.key ?? 'missing']));
  return { key: digestOf(parts), parts };
}

/** What differs between two plans, in the order of the tasks' names. */
export function comparePlans(before: ReadonlyMap<string, PlanKey>, after: ReadonlyMap<string, PlanKey>): PlanChange[] {
  const tasks = [...new Set([...before.keys(), ...after.keys()])].sort();
  return tasks.flatMap((task): PlanChange[] => {
    const [old, now] = [before.get(task), after.get(task)];
    if (old === undefined) return [{ task, kind: 'added', reasons: [] }];
    if (now === undefined) return [{ task, kind: 'removed', reasons: [] }];
    if (old.key === now.key) return [];
    const names = [...new Set([...Object.keys(old.parts), ...Object.keys(now.parts)])].sort();
    return [{ task, kind: 'changed', reasons: names.filter((name) => old.parts[name] !== now.parts[name]) }];
  });
}

interface Planning {
  readonly distribution: Distribution;
  /** Parts that all packages have. */
  readonly common: Readonly<Record<string, string>>;
  readonly keys: Map<string, PlanKey>;
}

function packageKey(
  planning: Planning,
  [target, project]: readonly ['rpm' | 'rpm-bootstrap', PackageProject],
): PlanKey {
  const { distribution, common, keys } = planning;
  const task = `${target}:${project.id}`;
  const known = keys.get(task);
  if (known !== undefined) return known;
  if (project.member !== undefined && target === 'rpm') {
    const made = { key: memberKey(project.member), parts: memberParts(project.member) };
    keys.set(task, made);
    return made;
  }
  const parts = {
    ...common,
    toolchain: requestedToolchain(distribution, project).toolchain,
    defines: digestOf(project.defines ?? distribution.config.defines),
    recipe: String(PACKAGE_RECIPE_VERSION),
    settings: digestOf(identityOfSettings(project.settings)),
    checks: digestOf(checkPolicy(distribution.config, project.settings)),
    root: digestOf(project.rootPackages),
    ...(project.seeds.length === 0 ? {} : { seeds: digestOf(project.seeds.map((seed) => seed.sha256)) }),
    ...Object.fromEntries(ownInputs(project).map((file) => [file, fileDigest(distribution.root, file)])),
    ...keysBefore(planning, project),
  };
  const made = { key: digestOf(parts), parts };
  keys.set(task, made);
  return made;
}

/** By RPM: its digest. */
function memberParts({ rpms }: ToolchainMember): Record<string, string> {
  return Object.fromEntries(rpms.map(({ nevra, sha256: digest }) => [nevra, digest]));
}

/** A check comes after the package's own build, whose key has all that they have in common. */
function checkKey(planning: Planning, project: PackageProject): void {
  const { distribution, keys } = planning;
  const { check = project } = project;
  const more = ownInputs(check).filter((file) => !project.inputs.includes(file));
  const parts = {
    recipe: String(CHECK_RECIPE_VERSION),
    skip: skipReason(project) ?? '',
    lint: digestOf(lintIdentity(distribution, project) ?? {}),
    defines: digestOf(check.defines ?? distribution.config.defines),
    ...(check.rootPackages === project.rootPackages
      ? {}
      : { root: digestOf(check.rootPackages), ...keysBefore(planning, check) }),
    ...Object.fromEntries(more.map((file) => [file, fileDigest(distribution.root, file)])),
    [`rpm:${project.id}`]: packageKey(planning, ['rpm', project]).key,
  };
  keys.set(`check:${project.id}`, { key: digestOf(parts), parts });
}

/** By task: the keys of the builds whose RPMs may be in the root. */
function keysBefore(planning: Planning, { dependencies, bootstrapDependencies }: PackageProject) {
  const keyOf = (before: 'rpm' | 'rpm-bootstrap', id: string): [string, string] => {
    const found = planning.distribution.findPackage(id);
    const other = before === 'rpm' ? found : found.bootstrap!;
    return [`${before}:${id}`, packageKey(planning, [before, other]).key];
  };
  return Object.fromEntries([
    ...dependencies.map((id) => keyOf('rpm', id)),
    ...bootstrapDependencies.map((id) => keyOf('rpm-bootstrap', id)),
  ]);
}

function imageKey(distribution: Distribution, image: ImageProject, keys: Map<string, PlanKey>): PlanKey {
  const task = `image:${image.name}`;
  const known = keys.get(task);
  if (known !== undefined) return known;
  const systems = systemsOf(distribution, image.name).map((name) => distribution.findImage(name));
  const parts = {
    toolchain: distribution.toolchain.identity,
    recipe: String(IMAGE_RECIPE_VERSION),
    ...imageToolsPart(distribution, image),
    architecture: distribution.config.architecture,
    root: digestOf(image.rootPackages),
    ...Object.fromEntries(
      (image.definition?.files ?? image.inputs).map((file) => [file, fileDigest(distribution.root, file)]),
    ),
    ...Object.fromEntries(image.dependencies.map((id) => [`rpm:${id}`, keys.get(`rpm:${id}`)?.key ?? 'missing'])),
    ...Object.fromEntries(systems.map((one) => [`image:${one.name}`, imageKey(distribution, one, keys).key])),
  };
  const made = { key: digestOf(parts), parts };
  keys.set(task, made);
  return made;
}

function imageToolsPart(distribution: Distribution, { definition }: ImageProject): Record<string, string> {
  if (definition === undefined || !usesImageTools(definition)) return {};
  return { imageTools: plannedToolRoot(distribution, 'imageTools').layerIdentity };
}

function commonParts({ config, toolchain, macroFiles }: Distribution): Record<string, string> {
  return {
    architecture: config.architecture,
    toolchain: toolchain.identity,
    ...Object.fromEntries(macroFiles.map(({ file, text }) => [file, sha256(text)])),
  };
}

/** Files of the package itself; shared ones are in the common parts. Signatures count by file, although only used lines matter. */
function ownInputs(project: PackageProject): string[] {
  const own = new Set([project.specFile, signaturesPath(project)]);
  return project.inputs.filter((file) => own.has(file) || file.startsWith(`${project.directory}/`));
}

function fileDigest(root: string, file: string): string {
  try {
    return sha256(readFileSync(join(root, file)));
  } catch {
    return 'missing';
  }
}
