export { BOOTSTRAP_ROOT, bootstrapPlan, bootstrapSteps, stepsFile } from './bootstrap-target.ts';
export {
  compareRounds,
  makeRoundWorkspace,
  memberPackages,
  ROUND_MANIFEST,
  roundRequest,
  ROUNDS,
  roundWorkspace,
  type BootstrapRound,
  type RoundComparison,
} from './bootstrap-rounds.ts';
export { bootstrapResults, roundOrigins, type RoundOrigins } from './bootstrap-results.ts';
export { exportResults, type ExportReport, type OwnResult, type ResultsExport } from './export-results.ts';
export { configuredResults, openStore } from './open-store.ts';
export { Distribution, findWorkspaceRoot, loadDistribution, type PlannedToolchain } from './distribution.ts';
export { definitionFilesOnDisk } from './definition-files-on-disk.ts';
export { DISTRO_FILE, distroSchema, type DistroConfig } from './distro-config.ts';
export { readDistroConfig } from './read-distro-config.ts';
export {
  durationsFile,
  readDurations,
  recordDuration,
  type Durations,
  type TaskEstimate,
  type TaskName,
  type TaskRun,
} from './durations.ts';
export { EVENT_LOG, lastRun, logEvent, readEventLog, type LoggedEvent } from './event-log.ts';
export { importUpstream, type ImportOptions, type ImportReport } from './import-upstream.ts';
export { isBroken, type EvaluatedPackage, type ImageProject, type PackageProject } from './package-project.ts';
export { packageChanges, type PackageChanges } from './package-changes.ts';
export { type CapabilityChange, type UnmetRequirement } from './capability-changes.ts';
export { comparePlans, planKeys, type PlanChange, type PlanKey } from './plan-keys.ts';
export { packageIdentity, type IdentityPart, type PackageIdentity, type TaskIdentity } from './plan-identity.ts';
export { plannedRoots, proposeBootstrap, type ProposedPolicy } from './propose-bootstrap.ts';
export { seedOf } from './seed-rpm.ts';
export { examineRoot, type ExaminedRoot } from './examine-root.ts';
export { SETTINGS_FILE, settingsSchema, type PackageSettings } from './package-settings.ts';
export { openPackageShell } from './package-shell.ts';
export { createUniverse, TOOLCHAIN_ORIGIN, type Universe } from './universe.ts';
export { examineSources, SOURCES_TASK, updatePackageSignatures, type SourceExamination } from './examine-sources.ts';
export { type SourceReport } from './sources-target.ts';
export { recordProvides, type RecordedProvides } from './record-provides.ts';
export { lockTreeRequirements, type RequirementsLocking } from './lock-tree-requirements.ts';
export { recordMacros, type MacroRecording } from './record-macros.ts';
export { encodingProblem } from './spec-encoding.ts';
export { specEvaluation, type SpecEvaluation, type SpecEvaluationOptions } from './spec-evaluation.ts';
export { Session, type Admission, type TaskOutcome, type TaskState } from './session.ts';
export { isBootable } from './boot-test-target.ts';
export { logRun, newRunName, readRunLog, RUN_LOG, type LoggedRun } from './run-log.ts';
export { type TaskMeasurement } from './task-meter.ts';
export { taskResources } from './task-resources.ts';
export { configuredRequirements } from './configured-requirements.ts';
export { collectStoreGarbage, trimStore, usePlan } from './store-garbage.ts';
export { TARGETS, type Target, type TargetName } from './targets.ts';
export { type ToolchainMember, withSpecs } from './toolchain-members.ts';
export { UPSTREAM_LOCK } from './upstream-lock.ts';
export { manifestPath, type Manifest } from './view.ts';
