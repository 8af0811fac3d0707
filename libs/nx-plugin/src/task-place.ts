/** The place of a task in the order of a run: "the third of eight". */
import type { TaskGraph } from '@nx/devkit';

export interface TaskPlace {
  /** From 1. */
  readonly position: number;
  readonly total: number;
}

/** Tasks in an order in which each comes after those it depends on; equals by name, so that the order is always the same. */
export function placeOf(taskId: string, { dependencies }: Pick<TaskGraph, 'dependencies'>): TaskPlace {
  const order = new Set<string>();
  const visit = (id: string) => {
    if (order.has(id)) return;
    [...(dependencies[id] ?? [])].sort().forEach(visit);
    order.add(id);
  };
  Object.keys(dependencies).sort().forEach(visit);
  return { position: [...order].indexOf(taskId) + 1, total: order.size };
}
