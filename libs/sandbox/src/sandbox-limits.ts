/** Limits as the arguments of prlimit(1). Limits of a whole sandbox (control groups, a supervisor) would be added around it. */
import type { SandboxLimits } from './sandbox-request.ts';

const RESOURCES: readonly (readonly [keyof SandboxLimits, string])[] = [
  ['processes', 'nproc'],
  ['openFiles', 'nofile'],
  ['fileSizeBytes', 'fsize'],
  // Address space is no measure: compilers and run times reserve far more than they use.
  ['memoryBytes', 'data'],
];

/** Put before a command to limit it. Core dumps are always off. */
export function limitPrefix(limits: SandboxLimits): string[] {
  const options = RESOURCES.flatMap(([name, resource]) => {
    const value = limits[name];
    return value === undefined ? [] : [`--${resource}=${value}`];
  });
  return ['prlimit', '--core=0', ...options, '--'];
}
