/** Fetch the source files of a source package and tell where each came from. */
import type { ExecutorContext } from '@nx/devkit';
import { runTask, type TaskOptions } from '../../run-task.ts';

export default async function sources(options: TaskOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  return runTask('sources', options, context);
}
