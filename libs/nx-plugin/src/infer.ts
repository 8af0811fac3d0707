/** Inference: from the tree to Nx's projects. */
import type { CreateNodesResultArray } from '@nx/devkit';
import { BuildError } from '@kiln/diagnostics';
import { DISTRO_FILE } from '@kiln/distribution';
import { readDistribution } from './loaded-distribution.ts';
import { projectConfigurations } from './project-configurations.ts';

/**
 * The projects of the tree, or none when it is not a distribution. A bad spec is a project that says why; only a bad
 * configuration fails.
 * @throws Error with the formatted BuildError.
 */
export async function inferProjects(files: readonly string[], workspaceRoot: string): Promise<CreateNodesResultArray> {
  if (!files.includes(DISTRO_FILE)) return [];
  try {
    const distribution = await readDistribution(workspaceRoot);
    return [...projectConfigurations(distribution)].map(([file, projects]) => [file, { projects }]);
  } catch (error) {
    if (error instanceof BuildError) throw new Error(error.format(), { cause: error });
    throw error;
  }
}
