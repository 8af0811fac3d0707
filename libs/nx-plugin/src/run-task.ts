/** What every executor does: one task of the distribution, with progress on standard output. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import {
  createReporter,
  describeFailure,
  prepareMachine,
  processTerminal,
  rememberedDurations,
  withInterrupts,
} from '@kiln/cli';
import { BuildError } from '@kiln/diagnostics';
import { loadDistribution, Session, TARGETS, type TargetName } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { placeOf } from './task-place.ts';

export interface TaskOptions {
  readonly id: string;
}

/** Runs the task; a failure is told on standard error and is no exception. */
export function runTask(
  target: TargetName,
  { id }: TaskOptions,
  { root, taskGraph, projectName }: ExecutorContext,
): Promise<{ success: boolean }> {
  // The build user must be able to read what we put into the store.
  process.umask(0o022);
  return withInterrupts(async (signal) => {
    const terminal = { ...processTerminal(process.env), live: false };
    const { position, total } = placeOf(`${projectName}:${target}`, taskGraph ?? { dependencies: {} });
    const reporter = createReporter({ terminal, now: () => Date.now(), remembered: rememberedDurations(root), total });
    const host = createHost({ emit: reporter.emit, signal });
    const task = { action: target, subject: id, log: TARGETS[target].log(id), position };
    reporter.begin(task);
    try {
      await prepareMachine(host, { root, canAsk: false, say: (line) => void terminal.out.write(`${line}\n`) });
      const { outcome } = await new Session(await loadDistribution(root), host).run(target, id);
      reporter.finish(task, outcome);
      return { success: true };
    } catch (error) {
      reporter.finish(task, 'failed');
      reporter.fail(describeFailure(error));
      if (error instanceof BuildError && error.code === 'MACHINE_NOT_READY') forgetMachine(root);
      return { success: false };
    } finally {
      reporter.end();
    }
  });
}

/** The `nx` wrapper remembers that the machine was ready; it has to look again. */
function forgetMachine(root: string): void {
  rmSync(join(root, '.nx', 'kiln', 'machine-ready'), { force: true });
}
