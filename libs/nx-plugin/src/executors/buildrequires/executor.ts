/** Find out what %generate_buildrequires of a source package asks for. */
import type { ExecutorContext } from '@nx/devkit';
import { runTask, type TaskOptions } from '../../run-task.ts';

export default async function buildRequires(
  options: TaskOptions,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  return runTask('buildrequires', options, context);
}
