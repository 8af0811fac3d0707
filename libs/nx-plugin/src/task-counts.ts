/** How many tasks of Kiln an Nx run has. */
import type { ProjectConfiguration, TaskGraph } from '@nx/devkit';

export const EXECUTOR = '@kiln/nx:task';

/** The tasks of a graph that our executor does; those of other plugins are not counted. */
export function tasksOfRun(
  { tasks }: Pick<TaskGraph, 'tasks'>,
  projects: Readonly<Record<string, Pick<ProjectConfiguration, 'targets'>>>,
): number {
  return Object.values(tasks).filter(
    ({ target: { project, target } }) => projects[project]?.targets?.[target]?.executor === EXECUTOR,
  ).length;
}
