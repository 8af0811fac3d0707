export { buildPackage, type BuildFile, type PackageBuild, type RootRpm } from './build-package.ts';
export { LINT_RECIPE_VERSION, lintPackages, parseFindings, type LintFinding, type LintInput } from './lint-packages.ts';
export { keepBuildTree, removeBuildTree, type BuildTree } from './build-tree.ts';
export { checkPackage, type CheckOutcome } from './check-package.ts';
export {
  buildRequest,
  CHECK_RECIPE_VERSION,
  checkRequest,
  DEFAULT_LIMITS,
  observableLimits,
  PACKAGE_RECIPE_VERSION,
  packageActionKey,
  TOP_DIRECTORY,
  type BuildLimits,
  type BuildRequestInput,
  type NamedDigest,
  type RootMember,
} from './build-request.ts';
export { generateBuildRequires, GENERATE_RECIPE_VERSION } from './generate-build-requires.ts';
export { openBuildShell, type ShellOptions, type ShellScene } from './build-shell.ts';
export { describeRpm } from './collect-result.ts';
export { CHECK_CODES, type CheckCode } from './check-codes.ts';
export { judge, STRICT_POLICY, type CheckPolicy, type Waiver } from './check-policy.ts';
export { checkFile, ruledFile, type BuildOffer, type Finding, type RuleContext, type RuledFile } from './file-rules.ts';
export { checkPackages } from './package-rules.ts';
export { lineTablePaths } from './line-table.ts';
export { explainFailure, type FailureContext } from './log-reading.ts';
export { isPrimaryPath, type BuiltRpm, type PackageResult } from './package-result.ts';
