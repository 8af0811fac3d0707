/** The hash of a Kiln task in Nx's cache: Kiln's own key, and a miss whenever the store can't answer it. */
import { workspaceRoot, type Hash, type HasherContext, type Task } from '@nx/devkit';
import { Session } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { knownDistribution } from './loaded-distribution.ts';
import type { TaskOptions } from './run-tasks-of-nx.ts';
import { freshHash, rememberedHash } from './task-record.ts';

let session: Session | undefined;

/** Called when everything the task depends on has run. Never fails: what is wrong with a task, the task itself says. */
export async function hashTask(task: Task, context: HasherContext): Promise<Hash> {
  const { project, target } = task.target;
  // The workspace may call the target otherwise.
  const { target: own, id } = context.projectGraph.nodes[project]?.data.targets?.[target]?.options as TaskOptions;
  const name = `${own}:${id}`;
  const details = { command: name, nodes: {}, implicitDeps: {}, runtime: {} };
  try {
    session ??= new Session(await knownDistribution(workspaceRoot), createHost());
    const { key, complete } = await session.taskKey(own, id);
    const value = complete ? rememberedHash(workspaceRoot, name, key) : freshHash(workspaceRoot, name, key);
    return { value, details };
  } catch {
    return { value: freshHash(workspaceRoot, name, 'failed'), details };
  }
}
