/** Prepare the toolchain layer that packages are built with. */
import type { ExecutorContext } from '@nx/devkit';
import { runTask, type TaskOptions } from '../../run-task.ts';

export default async function toolchain(options: TaskOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  return runTask('toolchain', options, context);
}
