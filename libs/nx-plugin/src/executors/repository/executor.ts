/** Make a package repository of all RPMs of the distribution. */
import type { ExecutorContext } from '@nx/devkit';
import { runTask, type TaskOptions } from '../../run-task.ts';

export default async function repository(
  options: TaskOptions,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  return runTask('repository', options, context);
}
