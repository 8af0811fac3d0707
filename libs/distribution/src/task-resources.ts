/** How much memory and how many cores a task probably needs: what the distribution says, else history, else a default. */
import type { Resources } from '@kiln/host';
import type { StatedResources } from './distro-config.ts';
import type { TaskEstimate } from './durations.ts';

/** For a task that nobody knows anything about. Builds configure and install longer than they compile on all cores. */
const DEFAULT_NEED = { memoryGB: 2, cores: 1 };
const GB = 1e9;
/** A build that took a certain amount may take a little more the next time. */
const MARGIN = 1.2;
/** Even a task that only waited for the disk is something. */
const LEAST_CORES = 0.1;

/** What is stated in the files of the tree. */
export interface ResourcePolicy {
  /** For the package's build. */
  readonly own: StatedResources | undefined;
  /** For tasks without a history. */
  readonly usual: StatedResources | undefined;
}

/**
 * What to set aside for a task. The number of cores is an average over the task: its programs may use all of the machine's, so that
 * nothing in the task depends on it.
 */
export function taskResources({ own, usual: stated }: ResourcePolicy, estimate: TaskEstimate | undefined): Resources {
  const usual = { ...DEFAULT_NEED, ...stated };
  const remembered = estimate?.peakMemoryBytes === undefined ? undefined : estimate.peakMemoryBytes * MARGIN;
  return {
    memoryBytes: Math.ceil(own?.memoryGB === undefined ? (remembered ?? usual.memoryGB * GB) : own.memoryGB * GB),
    cores: Math.max(LEAST_CORES, own?.cores ?? estimate?.cores ?? usual.cores),
  };
}
