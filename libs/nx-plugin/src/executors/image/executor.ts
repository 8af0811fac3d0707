/** Make an image from its definition. */
import type { ExecutorContext } from '@nx/devkit';
import { runTask, type TaskOptions } from '../../run-task.ts';

export default async function image(options: TaskOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  return runTask('image', options, context);
}
