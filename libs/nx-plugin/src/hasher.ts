/** The hash of a Kiln task in Nx's cache: Kiln's own key, and a miss whenever the store can't answer it. */
import { workspaceRoot, type Hash, type HasherContext, type Task } from '@nx/devkit';
import { Session, type TargetName } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { knownDistribution } from './loaded-distribution.ts';
import { freshHash, rememberedHash } from './task-record.ts';

let session: Session | undefined;

/** Called when everything the task depends on has run. Never fails: what is wrong with a task, the task itself says. */
export async function hashTask(task: Task, context: HasherContext): Promise<Hash> {
  const { project, target } = task.target;
  const options = context.projectGraph.nodes[project]?.data.targets?.[target]?.options as { readonly id: string };
  const name = `${target}:${options.id}`;
  const details = { command: name, nodes: {}, implicitDeps: {}, runtime: {} };
  try {
    session ??= new Session(await knownDistribution(workspaceRoot), createHost());
    const { key, complete } = await session.taskKey(target as TargetName, options.id);
    const value = complete ? rememberedHash(workspaceRoot, name, key) : freshHash(workspaceRoot, name, key);
    return { value, details };
  } catch {
    return { value: freshHash(workspaceRoot, name, 'failed'), details };
  }
}
