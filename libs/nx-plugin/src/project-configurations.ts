/** Nx's view of a distribution: one project per source package and per image, one for the distribution itself. Pure. */
import { basename, dirname, join } from 'node:path';
import type { ProjectConfiguration, TargetConfiguration, TargetDependencyConfig } from '@nx/devkit';
import {
  DISTRO_FILE,
  isBroken,
  manifestPath,
  TARGETS,
  TOOLCHAIN_ORIGIN,
  type Distribution,
  type ImageProject,
  type PackageProject,
  type TargetName,
} from '@kiln/distribution';
import { DISTRIBUTION_PROJECT, projectNameOf } from './project-names.ts';
import type { TaskOptions } from './run-tasks-of-nx.ts';
import { EXECUTOR } from './task-counts.ts';

/** File that a project is inferred from → its configuration, keyed by root. */
export type InferredProjects = ReadonlyMap<string, Record<string, ProjectConfiguration>>;

export function projectConfigurations(distribution: Distribution): InferredProjects {
  const inferred = new Map<string, Record<string, ProjectConfiguration>>();
  const roots = projectRoots(distribution.packages);
  const add = (file: string, project: ProjectConfiguration) => {
    inferred.set(file, { ...inferred.get(file), [project.root]: project });
  };
  add(DISTRO_FILE, distributionProject(distribution));
  for (const one of distribution.packages)
    add(one.specFile, packageProject(distribution, one, roots.get(one.specFile)!));
  for (const one of distribution.images) add(one.file, imageProject(distribution, one));
  return inferred;
}

/**
 * Nx wants one project a root. A spec alone in its directory has the directory; of several the one named like the
 * directory has it, the others get a root below it that need not exist.
 */
function projectRoots(packages: readonly PackageProject[]): Map<string, string> {
  const counts = new Map<string, number>();
  for (const { directory } of packages) counts.set(directory, (counts.get(directory) ?? 0) + 1);
  return new Map(
    packages.map(({ specFile, directory }) => {
      const name = basename(specFile, '.spec');
      const owns = counts.get(directory) === 1 || name === basename(directory);
      return [specFile, owns ? directory : join(directory, name)];
    }),
  );
}

function distributionProject(distribution: Distribution): ProjectConfiguration {
  const { config } = distribution;
  return {
    name: DISTRIBUTION_PROJECT,
    root: dirname(DISTRO_FILE),
    tags: ['stage:toolchain', `arch:${config.architecture}`],
    metadata: { description: `${config.name} ${config.version}`, technologies: ['kiln'] },
    targets: {
      toolchain: target(distribution, 'toolchain', TOOLCHAIN_ORIGIN, []),
      repository: target(distribution, 'repository', config.name, []),
    },
  };
}

function packageProject(distribution: Distribution, one: PackageProject, root: string): ProjectConfiguration {
  const { config } = distribution;
  const broken = one.diagnostics.find(({ severity }) => severity === 'error');
  const description = broken === undefined ? one.sourcePackage?.summary : `broken: ${broken.code}: ${broken.message}`;
  return {
    name: one.id,
    root,
    tags: [
      `root:${one.specRoot}`,
      'stage:package',
      `arch:${config.architecture}`,
      ...(isBroken(one) ? ['broken'] : []),
    ],
    metadata: { technologies: ['rpm'], ...(description === undefined ? {} : { description }) },
    implicitDependencies: [...new Set([...one.dependencies, ...one.bootstrapDependencies])].map((id) =>
      projectNameOf('rpm', id),
    ),
    targets: {
      sources: target(distribution, 'sources', one.id, one.inputs),
      rpm: target(distribution, 'rpm', one.id, one.inputs),
      ...(one.bootstrap === undefined
        ? {}
        : { 'rpm-bootstrap': target(distribution, 'rpm-bootstrap', one.id, one.inputs) }),
      ...(one.sourcePackage?.generatesBuildRequires === true
        ? { buildrequires: target(distribution, 'buildrequires', one.id, one.inputs) }
        : {}),
    },
  };
}

function imageProject(distribution: Distribution, image: ImageProject): ProjectConfiguration {
  const { config } = distribution;
  return {
    name: projectNameOf('image', image.name),
    root: join(config.imageDirectory, image.name),
    tags: ['stage:image', `arch:${config.architecture}`, ...(isBroken(image) ? ['broken'] : [])],
    metadata: { technologies: ['image'] },
    implicitDependencies: image.dependencies.map((id) => projectNameOf('rpm', id)),
    targets: {
      image: target(distribution, 'image', image.name, image.inputs),
      'boot-test': target(distribution, 'boot-test', image.name, image.inputs),
    },
  };
}

/** For Nx Console and `nx show project`. */
const DESCRIPTIONS: Readonly<Record<TargetName, string>> = {
  toolchain: 'Prepare the layer of tools that packages are built with',
  sources: 'Fetch the source files and say where each came from',
  buildrequires: 'Find out what %generate_buildrequires asks for',
  'rpm-bootstrap': 'Build the package the first time, as the bootstrap policy says',
  rpm: 'Build the source and binary RPMs',
  repository: 'Make a repository of all RPMs',
  image: 'Make the image',
  'boot-test': 'Start the image in a sandbox and check it',
};

/** Inputs are there for `nx affected`; what a task really depends on is in its key, which the hasher asks Kiln for. */
function target(
  distribution: Distribution,
  name: TargetName,
  id: string,
  inputs: readonly string[],
): TargetConfiguration<TaskOptions> {
  const { architecture, toolchain } = distribution.config;
  const files = [...new Set([DISTRO_FILE, toolchain.packages, toolchain.lock, ...inputs])].sort();
  return {
    executor: EXECUTOR,
    metadata: { technologies: ['kiln'], description: DESCRIPTIONS[name] },
    options: { target: name, id },
    cache: true,
    inputs: [...files.map((file) => `{workspaceRoot}/${file}`), { externalDependencies: [] }],
    outputs: [`{workspaceRoot}/${manifestPath(architecture, name, id)}`],
    dependsOn: tasksBefore(distribution, name, id),
  };
}

/** Explicit edges by project: the plan has no cycle, while Nx's project graph may have one. */
function tasksBefore(distribution: Distribution, name: TargetName, id: string): TargetDependencyConfig[] {
  const byTarget = new Map<TargetName, Set<string>>();
  for (const [before, beforeId] of TARGETS[name].before(distribution, id)) {
    byTarget.set(before, (byTarget.get(before) ?? new Set()).add(projectNameOf(before, beforeId)));
  }
  return [...byTarget].map(([before, projects]) => ({ target: before, projects: [...projects] }));
}
