/** Names that a workspace gives to Kiln's targets, for example where `rpm` is taken by another plugin. */
import type { ProjectConfiguration, TargetConfiguration, TargetDependencyConfig } from '@nx/devkit';
import { BuildError, nearestWord } from '@kiln/diagnostics';
import { TARGETS, type TargetName } from '@kiln/distribution';
import type { InferredProjects } from './project-configurations.ts';

/** Kiln's name → the workspace's; the others keep theirs. */
export type TargetNames = Readonly<Partial<Record<TargetName, string>>>;

/** Checks what stands in nx.json or was typed. @throws BuildError `TARGET_NAME_INVALID` */
export function parseTargetNames(names: Readonly<Record<string, unknown>>): TargetNames {
  const known = Object.keys(TARGETS);
  for (const [name, other] of Object.entries(names)) {
    if (!known.includes(name)) {
      const near = nearestWord(name, known);
      throw invalid(`'${name}' is no target`, near === undefined ? undefined : `did you mean '${near}'?`);
    }
    if (typeof other !== 'string' || !/^[A-Za-z][\w:-]*$/.test(other)) {
      throw invalid(`${JSON.stringify(other)} can't be the name of the target '${name}'`);
    }
  }
  const all = known.map((name) => names[name] ?? name);
  const twice = all.find((name, at) => all.indexOf(name) !== at);
  if (twice !== undefined) throw invalid(`two targets are called '${String(twice)}'`);
  return names;
}

/** The projects with the workspace's names of targets, in the dependencies too. */
export function renameTargets(inferred: InferredProjects, names: TargetNames): InferredProjects {
  if (Object.keys(names).length === 0) return inferred;
  return new Map(
    [...inferred].map(([file, projects]) => [
      file,
      Object.fromEntries(Object.entries(projects).map(([root, one]) => [root, renamed(one, names)])),
    ]),
  );
}

function renamed(project: ProjectConfiguration, names: TargetNames): ProjectConfiguration {
  const nameOf = (name: string): string => names[name as TargetName] ?? name;
  const targets = Object.entries(project.targets ?? {}).map(([name, target]): [string, TargetConfiguration] => {
    const before = (target.dependsOn ?? []) as TargetDependencyConfig[];
    return [nameOf(name), { ...target, dependsOn: before.map((one) => ({ ...one, target: nameOf(one.target) })) }];
  });
  return { ...project, targets: Object.fromEntries(targets) };
}

function invalid(found: string, hint = `the targets are: ${Object.keys(TARGETS).join(', ')}`): BuildError {
  return new BuildError('TARGET_NAME_INVALID', found, { location: { file: 'nx.json', line: 1 }, hint });
}
