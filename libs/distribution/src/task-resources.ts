/** How much memory and how many cores a task probably needs: what the distribution says, else history, else a default. */
import type { Resources } from '@kiln/host';
import type { DistroConfig } from './distro-config.ts';
import type { TaskEstimate } from './durations.ts';

/** For a task that nobody knows anything about. Builds configure and install longer than they compile on all cores. */
const DEFAULT_NEED = { memoryGB: 2, cores: 1 };
const GB = 1e9;
/** A build that took a certain amount may take a little more the next time. */
const MARGIN = 1.2;
/** Even a task that only waited for the disk is something. */
const LEAST_CORES = 0.1;

/**
 * What to set aside for a task. The number of cores is an average over the task: its programs may use all of the machine's, so that
 * nothing in the task depends on it.
 */
export function taskResources(
  policy: DistroConfig['resources'],
  { target, id }: { readonly target: string; readonly id: string },
  estimate: TaskEstimate | undefined,
): Resources {
  const stated = target === 'rpm' ? policy?.packages?.[id] : undefined;
  const usual = { ...DEFAULT_NEED, ...policy?.default };
  const remembered = estimate?.peakMemoryBytes === undefined ? undefined : estimate.peakMemoryBytes * MARGIN;
  return {
    memoryBytes: Math.ceil(stated?.memoryGB === undefined ? (remembered ?? usual.memoryGB * GB) : stated.memoryGB * GB),
    cores: Math.max(LEAST_CORES, stated?.cores ?? estimate?.cores ?? usual.cores),
  };
}
