/** Build a source package the first time, as toolkit/bootstrap.json says. */
import type { ExecutorContext } from '@nx/devkit';
import { runTask, type TaskOptions } from '../../run-task.ts';

export default async function rpmBootstrap(
  options: TaskOptions,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  return runTask('rpm-bootstrap', options, context);
}
