export {
  type LimitName,
  type SandboxIdentity,
  type SandboxLimits,
  type SandboxMount,
  type SandboxRequest,
} from './sandbox-request.ts';
export { type LimitBreach, type SandboxUsage } from './supervision.ts';
export { runInIdNamespace, runSandboxed, type SandboxResult } from './run-sandboxed.ts';
export { checkStoreReachable, makeWorkDirectory, removeWorkDirectory, sweepWorkDirectories } from './work-directory.ts';
export { memoryPlace } from './memory-place.ts';
export { sandboxRequirements } from './requirements.ts';
export { BUILDER_ID } from './bubblewrap.ts';
export { syscallFilter } from './syscall-filter.ts';
