/** Nx's view of a distribution: one project per source package and per image, one for the distribution itself. Pure. */
import { basename, dirname, join } from 'node:path';
import type { ProjectConfiguration, TargetConfiguration, TargetDependencyConfig } from '@nx/devkit';
import {
  BOOTSTRAP_ROOT,
  bootstrapSteps,
  DISTRO_FILE,
  isBootable,
  isBroken,
  manifestPath,
  stepsFile,
  TARGETS,
  TOOLCHAIN_ORIGIN,
  type Distribution,
  type ImageProject,
  type PackageProject,
  type TargetName,
} from '@kiln/distribution';
import { reduceEdges } from '@kiln/package-graph';
import { toolchainFiles } from '@kiln/toolchain';
import { BOOTSTRAP_PROJECT, DISTRIBUTION_PROJECT, projectNameOf } from './project-names.ts';
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
  const order = taskOrder(distribution);
  add(DISTRO_FILE, distributionProject(distribution, order));
  for (const one of distribution.packages)
    add(one.specFile, packageProject(distribution, order, { one, root: roots.get(one.specFile)! }));
  for (const one of distribution.images) add(one.file, imageProject(distribution, order, one));
  for (const project of bootstrapProjects(distribution, order)) add(stepsFile(distribution)!, project);
  return inferred;
}

/** What each task comes right after: `target:id` → targets and ids. */
type TaskOrder = ReadonlyMap<string, readonly Task[]>;
type Task = readonly [TargetName, string];

/**
 * The fewest edges that say the order of all tasks. A task needs the closure of its requirements, but Nx only has to know the order, and
 * spends its time on each edge; what a task really depends on is in its key.
 */
function taskOrder(distribution: Distribution): TaskOrder {
  const before = new Map<string, string[]>();
  const tasks = new Map<string, Task>();
  const open: Task[] = [
    ['repository', distribution.config.name],
    ...(distribution.config.signing === undefined ? [] : [['publish', distribution.config.name] as const]),
    ...(stepsFile(distribution) === undefined ? [] : [['stage-a', BOOTSTRAP_ROOT] as const]),
    ...distribution.packages.flatMap((one) => targetsOf(one).map((name): Task => [name, one.id])),
    ...distribution.images.flatMap((image) =>
      imageTargets(distribution, image).map((name): Task => [name, image.name]),
    ),
  ];
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    const [target, id] = task;
    const name = `${target}:${id}`;
    if (before.has(name)) continue;
    const { before: all, nearest = all } = TARGETS[target];
    const needed = nearest(distribution, id);
    tasks.set(name, task);
    before.set(
      name,
      needed.map((one) => one.join(':')),
    );
    open.push(...needed);
  }
  return new Map([...reduceEdges(before)].map(([name, needed]) => [name, needed.map((one) => tasks.get(one)!)]));
}

/** The targets of a package, at most six. */
function targetsOf({ bootstrap, sourcePackage }: PackageProject): TargetName[] {
  return [
    'sources',
    'rpm',
    'check',
    'reproduce',
    ...(bootstrap === undefined ? [] : (['rpm-bootstrap'] as const)),
    ...(sourcePackage?.generatesBuildRequires === true ? (['buildrequires'] as const) : []),
  ];
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

function distributionProject(distribution: Distribution, order: TaskOrder): ProjectConfiguration {
  const { config } = distribution;
  return {
    name: DISTRIBUTION_PROJECT,
    root: dirname(DISTRO_FILE),
    namedInputs: namedInputs(distribution, []),
    tags: ['stage:toolchain', `arch:${config.architecture}`],
    metadata: { description: `${config.name} ${config.version}`, technologies: ['kiln'] },
    targets: {
      toolchain: target(distribution, order, ['toolchain', TOOLCHAIN_ORIGIN]),
      repository: target(distribution, order, ['repository', config.name]),
      ...(config.signing === undefined ? {} : { publish: target(distribution, order, ['publish', config.name]) }),
    },
  };
}

function packageProject(
  distribution: Distribution,
  order: TaskOrder,
  { one, root }: { readonly one: PackageProject; readonly root: string },
): ProjectConfiguration {
  const { config } = distribution;
  const broken = one.diagnostics.find(({ severity }) => severity === 'error');
  const description = broken === undefined ? one.sourcePackage?.summary : `broken: ${broken.code}: ${broken.message}`;
  return {
    name: one.id,
    root,
    namedInputs: namedInputs(distribution, [...one.inputs, ...(one.check?.inputs ?? [])]),
    tags: [
      `root:${one.specRoot}`,
      'stage:package',
      `arch:${config.architecture}`,
      ...(isBroken(one) ? ['broken'] : []),
    ],
    metadata: { technologies: ['rpm'], ...(description === undefined ? {} : { description }) },
    implicitDependencies: projectsBefore(order, ['rpm', one.id], one.id),
    targets: Object.fromEntries(targetsOf(one).map((name) => [name, target(distribution, order, [name, one.id])])),
  };
}

function imageProject(distribution: Distribution, order: TaskOrder, image: ImageProject): ProjectConfiguration {
  const { config } = distribution;
  const name = projectNameOf('image', image.name);
  return {
    name,
    root: join(config.imageDirectory, image.name),
    namedInputs: namedInputs(distribution, image.inputs),
    tags: ['stage:image', `arch:${config.architecture}`, ...(isBroken(image) ? ['broken'] : [])],
    metadata: { technologies: ['image'] },
    implicitDependencies: projectsBefore(order, ['image', image.name], name),
    targets: Object.fromEntries(
      imageTargets(distribution, image).map((one) => [one, target(distribution, order, [one, image.name])]),
    ),
  };
}

/** A project for each step of a toolchain from source, and one for what they end with. */
function bootstrapProjects(distribution: Distribution, order: TaskOrder): ProjectConfiguration[] {
  const file = stepsFile(distribution);
  if (file === undefined) return [];
  const root = dirname(file);
  const project = (
    { name, place, inputs = [], description }: BootstrapProject,
    [targetName, id]: Task,
  ): ProjectConfiguration => ({
    name,
    root: place,
    namedInputs: namedInputs(distribution, [file, ...inputs]),
    tags: ['stage:toolchain', `arch:${distribution.config.architecture}`],
    metadata: { technologies: ['kiln'], description },
    implicitDependencies: projectsBefore(order, [targetName, id], name),
    targets: { [targetName]: target(distribution, order, [targetName, id]) },
  });
  const end = project({ name: BOOTSTRAP_PROJECT, place: root, description: 'The toolchain from source' }, [
    'stage-a',
    BOOTSTRAP_ROOT,
  ]);
  return [
    { ...end, targets: { ...end.targets, ...ROUND_TARGETS } },
    ...bootstrapSteps(distribution).map((step) => {
      const task: Task = ['bootstrap-step', step.name];
      const inputs = step.scripts.map((name) => join(root, 'scripts', name));
      const { description } = step;
      return project(
        { name: projectNameOf(...task), place: join(root, 'steps', step.name), inputs, description },
        task,
      );
    }),
  ];
}

/** The name of a project's list of files: said once, as Nx hands all projects from process to process as text. */
const INPUTS = 'kiln';

/** The stages after A run in workspaces of their own, each with a cache of its own. */
const ROUND_TARGETS: Readonly<Record<string, TargetConfiguration>> = {
  bootstrap: roundTarget('B', 'Build the RPMs of the toolchain from source, and by themselves'),
  prove: roundTarget('C', 'Build the RPMs of the toolchain once more and compare'),
};

function roundTarget(stage: string, description: string): TargetConfiguration {
  return {
    executor: 'nx:run-commands',
    metadata: { technologies: ['kiln'], description },
    options: { command: `kiln bootstrap --stage ${stage}` },
    cache: false,
    // Nx's own would be the files of the steps' directories, which there are none of.
    inputs: [INPUTS],
    dependsOn: [{ target: 'stage-a' }],
  };
}

interface BootstrapProject {
  readonly name: string;
  readonly place: string;
  readonly inputs?: readonly string[];
  readonly description: string;
}

/** Nothing is published without a key; an image that nothing starts, such as a system of an installer, has no boot test. */
function imageTargets({ config }: Distribution, image: ImageProject): TargetName[] {
  const started = isBootable(image) ? (['boot-test'] as const) : [];
  return ['image', ...started, ...(config.signing === undefined ? [] : ['publish-image' as const])];
}

/** Projects of packages that a task comes right after. */
function projectsBefore(order: TaskOrder, [target, id]: Task, own: string): string[] {
  const needed = (order.get(`${target}:${id}`) ?? []).filter(([before]) => before !== 'toolchain');
  const projects = needed.map(([before, beforeId]) => projectNameOf(before, beforeId));
  return [...new Set(projects)].filter((project) => project !== own);
}

/** For Nx Console and `nx show project`. */
const DESCRIPTIONS: Readonly<Record<TargetName, string>> = {
  'bootstrap-step': 'Do one step of the toolchain from source',
  'stage-a': 'Make the root that the toolchain from source begins with',
  toolchain: 'Prepare the layer of tools that packages are built with',
  sources: 'Fetch the source files and tell their origins',
  buildrequires: 'Find out what %generate_buildrequires asks for',
  'rpm-bootstrap': 'Build the package the first time, as the bootstrap policy says',
  rpm: 'Build the source and binary RPMs',
  check: 'Run rpmlint and %check',
  reproduce: 'Build a second time and compare',
  repository: 'Make a repository of all RPMs',
  publish: 'Sign the RPMs and the repository',
  image: 'Make the image',
  'boot-test': 'Start the image and check it',
  'publish-image': "Sign the list of the image's files",
};

/** They are there for `nx affected`; what a task really depends on is in its key, which the hasher asks Kiln for. */
function namedInputs(
  { config: { toolchain, lint, imageTools, bootTools } }: Distribution,
  inputs: readonly string[],
): Required<ProjectConfiguration>['namedInputs'] {
  const linted = lint === undefined ? [] : [lint.packages, lint.lock, lint.config];
  const roots = [imageTools, bootTools].filter((one) => one !== undefined);
  const listed = [...toolchainFiles(toolchain), ...roots.flatMap(({ packages, lock }) => [packages, lock])];
  const files = [...new Set([DISTRO_FILE, ...listed, ...linted, ...inputs])].sort();
  return { [INPUTS]: [...files.map((file) => `{workspaceRoot}/${file}`), { externalDependencies: [] }] };
}

function target(distribution: Distribution, order: TaskOrder, [name, id]: Task): TargetConfiguration<TaskOptions> {
  const architectures = architecturesOf(distribution);
  return {
    executor: EXECUTOR,
    metadata: { technologies: ['kiln'], description: DESCRIPTIONS[name] },
    options: { target: name, id, ...architectures.options },
    cache: true,
    inputs: [INPUTS],
    outputs: [`{workspaceRoot}/${manifestPath(architectures.path, name, id)}`],
    ...(architectures.configurations === undefined ? {} : { configurations: architectures.configurations }),
    dependsOn: tasksBefore(order.get(`${name}:${id}`) ?? []),
  };
}

/** How a target says that it can be done for further architectures: each is a configuration. Order and projects are those of the first. */
interface TargetArchitectures {
  readonly options: Pick<TaskOptions, 'architecture'>;
  readonly configurations?: Record<string, Pick<TaskOptions, 'architecture'>>;
  /** The part of an output's path. */
  readonly path: string;
}

function architecturesOf({ architectures }: Distribution): TargetArchitectures {
  const [own, ...further] = architectures as readonly [string, ...string[]];
  if (further.length === 0) return { options: {}, path: own };
  return {
    options: { architecture: own },
    configurations: Object.fromEntries(further.map((architecture) => [architecture, { architecture }])),
    path: '{options.architecture}',
  };
}

/** Explicit edges by project: the plan has no cycle, while Nx's project graph may have one. */
function tasksBefore(tasks: readonly Task[]): TargetDependencyConfig[] {
  const byTarget = new Map<TargetName, Set<string>>();
  for (const [before, beforeId] of tasks) {
    byTarget.set(before, (byTarget.get(before) ?? new Set()).add(projectNameOf(before, beforeId)));
  }
  return [...byTarget].map(([before, projects]) => ({ target: before, projects: [...projects] }));
}
