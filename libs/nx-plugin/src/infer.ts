/** Inference: from the tree to Nx's projects. */
import type { CreateNodesResultArray } from '@nx/devkit';
import { BuildError } from '@kiln/diagnostics';
import { DISTRO_FILE } from '@kiln/distribution';
import { readDistribution } from './loaded-distribution.ts';
import { projectConfigurations } from './project-configurations.ts';
import { parseTargetNames, renameTargets } from './target-names.ts';

/** What nx.json may say beside the plugin's name. */
export interface PluginOptions {
  readonly targetNames?: Readonly<Record<string, unknown>>;
}

/**
 * The projects of the tree, or none when it is not a distribution. A bad spec is a project that says why; only a bad
 * configuration fails.
 * @throws Error with the formatted BuildError.
 */
export async function inferProjects(
  files: readonly string[],
  workspaceRoot: string,
  options?: PluginOptions,
): Promise<CreateNodesResultArray> {
  if (!files.includes(DISTRO_FILE)) return [];
  try {
    const names = parseTargetNames(options?.targetNames ?? {});
    const distribution = await readDistribution(workspaceRoot, files);
    return [...renameTargets(projectConfigurations(distribution), names)].map(([file, projects]) => [
      file,
      { projects },
    ]);
  } catch (error) {
    if (error instanceof BuildError) throw new Error(error.format(), { cause: error });
    throw error;
  }
}
