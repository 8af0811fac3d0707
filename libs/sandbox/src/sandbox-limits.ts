/** Limits of single processes, as the arguments of prlimit(1). Limits of the whole sandbox are `supervision.ts`. */
import type { SandboxLimits } from './sandbox-request.ts';

/** Above the limit that is supervised, so that the breach is seen and not only met by a failing fork. */
const SPARE_PROCESSES = 64;

const RESOURCES: readonly (readonly [resource: string, (limits: SandboxLimits) => number | undefined])[] = [
  ['nproc', ({ processes }) => (processes === undefined ? undefined : processes + SPARE_PROCESSES)],
  ['nofile', ({ openFiles }) => openFiles],
  ['fsize', ({ fileSizeBytes }) => fileSizeBytes],
];

/** Put before a command to limit it. Core dumps are always off. */
export function limitPrefix(limits: SandboxLimits): string[] {
  const options = RESOURCES.flatMap(([resource, valueOf]) => {
    const value = valueOf(limits);
    return value === undefined ? [] : [`--${resource}=${value}`];
  });
  return ['prlimit', '--core=0', ...options, '--'];
}
