/** The hash of a Kiln task in Nx's cache: Kiln's own key, and a miss whenever the store can't answer it. */
import { workspaceRoot, type Hash, type HasherContext, type Task } from '@nx/devkit';
import { loadDistribution, Session, type Distribution } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { knownDistribution } from './loaded-distribution.ts';
import type { TaskOptions } from './run-tasks-of-nx.ts';
import { freshHash, rememberedHash } from './task-record.ts';

const sessions = new Map<string | undefined, Promise<Session>>();

/** Called when everything the task depends on has run. Never fails: what is wrong with a task, the task itself says. */
export async function hashTask(task: Task, context: HasherContext): Promise<Hash> {
  const { target: own, id, architecture } = optionsOf(task, context);
  const name = `${own}:${id}${architecture === undefined ? '' : `:${architecture}`}`;
  const details = { command: name, nodes: {}, implicitDeps: {}, runtime: {} };
  try {
    const session = await sessionFor(architecture);
    const { key, complete } = await session.taskKey(own, id);
    const value = complete ? rememberedHash(workspaceRoot, name, key) : freshHash(workspaceRoot, name, key);
    return { value, details };
  } catch {
    return { value: freshHash(workspaceRoot, name, 'failed'), details };
  }
}

/** The workspace may call the target otherwise than Kiln. */
function optionsOf({ target: { project, target, configuration } }: Task, { projectGraph }: HasherContext): TaskOptions {
  const { options, configurations } = projectGraph.nodes[project]?.data.targets?.[target] ?? {};
  return { ...options, ...(configuration === undefined ? {} : configurations?.[configuration]) } as TaskOptions;
}

function sessionFor(architecture: string | undefined): Promise<Session> {
  let session = sessions.get(architecture);
  if (session === undefined) {
    session = distributionFor(architecture).then((one) => new Session(one, createHost()));
    sessions.set(architecture, session);
  }
  return session;
}

async function distributionFor(architecture: string | undefined): Promise<Distribution> {
  const known = await knownDistribution(workspaceRoot);
  const isKnown = architecture === undefined || architecture === known.config.architecture;
  return isKnown ? known : loadDistribution(workspaceRoot, { architecture });
}
