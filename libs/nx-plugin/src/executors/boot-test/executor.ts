/** Start an image in a sandbox and check it. */
import type { ExecutorContext } from '@nx/devkit';
import { runTask, type TaskOptions } from '../../run-task.ts';

export default async function bootTest(options: TaskOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  return runTask('boot-test', options, context);
}
