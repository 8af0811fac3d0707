/** Build the source and binary RPMs of a source package. */
import type { ExecutorContext } from '@nx/devkit';
import { runTask, type TaskOptions } from '../../run-task.ts';

export default async function rpm(options: TaskOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  return runTask('rpm', options, context);
}
