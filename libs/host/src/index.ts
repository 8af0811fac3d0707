export type {
  ActionEvent,
  EventSink,
  KilnEvent,
  NoticeEvent,
  ProgressEvent,
  ResourceUsage,
  UsageEvent,
} from './event.ts';
export { createHost, type Host, type HostOptions } from './host.ts';
export { runProcess, saysNoSpace, shellQuote, type RunRequest, type RunResult } from './process.ts';
export { writeFileAtomic } from './atomic-file.ts';
export { holdFileLock, isFileLocked, withFileLock, type LockOptions } from './file-lock.ts';
export { createFakeHost, type FakeHost } from './fake-host.ts';
export { programRequirement, type Fix, type ProbeResult, type Requirement } from './requirement.ts';
export { BUILD_USER_NAME, buildUser, giveToBuildUser, withOtherBuildUser, type BuildUser } from './build-user.ts';
export { inParallel } from './parallel.ts';
export { admit, type Answer, type Lack, type Resources, type Ticket } from './admission.ts';
export { machineResources } from './machine-resources.ts';
export { processStart } from './process-identity.ts';
export {
  defaultTokenDirectory,
  ResourceBroker,
  type ResourceBrokerOptions,
  type ResourceRequest,
  type Waiting,
} from './resource-broker.ts';
