export { parseDebianPackages, type DebianPackages } from './debian-packages.ts';
export { formatToolchainLock, parseToolchainLock, type LockedPackage, type ToolchainLock } from './toolchain-lock.ts';
export {
  loadDebianToolchain,
  TOOLCHAIN_ARCHITECTURE,
  TOOLCHAIN_PACKAGE,
  upstreamVersion,
  type DebianToolchain,
} from './debian-toolchain.ts';
export { checkToolsOnly, mayHaveDevelopmentFiles } from './tools-only.ts';
export { lockDebianToolchain } from './lock-toolchain.ts';
export {
  loadToolchain,
  prepareToolchain,
  toolchainBlobs,
  toolchainLayerKeys,
  type LoadToolchainOptions,
  type PlannedToolchain,
} from './toolchain-provider.ts';
export {
  PROVIDER_NAMES,
  toolchainConfigProblem,
  toolchainFiles,
  toolchainLockFile,
  type ToolchainConfig,
  type WrittenToolchainConfig,
} from './toolchain-config.ts';
export { type Toolchain, type ToolchainPackage, type ToolchainRpm } from './toolchain.ts';
export { toolchainLayer, verifyToolchainLayer, type ToolchainLayer } from './toolchain-layer.ts';
export { type ManifestEntry } from './layer-manifest.ts';
export { composeRpmRoot, type RpmMember, type RpmRoot } from './rpm-root.ts';
export { repositoryToolchainRequirements, toolchainRequirements } from './requirements.ts';
export { type Requirement, type StatedAnswer } from './answer-requirements.ts';
export {
  DEBIAN_FULL_ENVIRONMENT,
  loadDebianFullToolchain,
  requirementSet,
  type DebianFullToolchain,
  type RequirementSet,
} from './debian-full.ts';
export { prepareRequirementRoot } from './requirement-root.ts';
export { parseStatedAnswers, type StatedAnswers } from './stated-answers.ts';
export { lockRequirements } from './lock-requirements.ts';
export { formatRequirementsLock, parseRequirementsLock, type RequirementsLock } from './requirements-lock.ts';
export {
  formatToolchainManifest,
  manifestDigest,
  parseToolchainManifest,
  type ManifestPackage,
  type ManifestRepository,
  type ManifestRequest,
  type ToolchainManifest,
} from './toolchain-manifest.ts';
export { fetchManifestRpms } from './fetch-rpms.ts';
export { loadRepositoryToolchain, readManifestFile, type RepositoryToolchain } from './repository-toolchain.ts';
export { makeToolchainManifest, resolveManifest } from './make-manifest.ts';
export { offeredRpms, type ManifestPlace, type OfferedRpm } from './offered-rpms.ts';
export { parsePackageList, type ListedRpm } from './package-lists.ts';
export { loadBootstrapPlan, readBootstrapSteps, type BootstrapPlan, type PlannedStep } from './bootstrap-plan.ts';
export { parseBootstrapSteps, type BootstrapStep, type BootstrapSteps } from './bootstrap-steps.ts';
export { bootstrapRootIdentity, bootstrapRootKey } from './bootstrap-root.ts';
export { doStep, stepFiles, stepLayerKey, type StepRun } from './bootstrap-step.ts';
export { bootstrapLogs, lockBootstrap, makeBootstrapRoot, type BootstrapToolchain } from './bootstrap-toolchain.ts';
export { foreignTraces, refuseForeignTraces } from './foreign-traces.ts';
