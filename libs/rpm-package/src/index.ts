export { vercmp } from './vercmp.ts';
export { compareEvr, formatEvr, parseEvr, type Evr } from './evr.ts';
export {
  formatDependency,
  isRich,
  parseDependency,
  parseDependencyEvr,
  parseOperator,
  satisfies,
  type Dependency,
  type DependencyOperator,
} from './dependency.ts';
export {
  formatRichDependency,
  parseRichDependency,
  RichDependencyError,
  simpleDependencies,
  type ParsedRichDependency,
  type RichContext,
  type RichDependency,
  type RichOperator,
} from './rich-dependency.ts';
export { SENSE, senseOf } from './sense.ts';
export {
  formatNevra,
  isDebugPackage,
  rpmFileName,
  type BinaryPackage,
  type LocatedDependency,
  type Origin,
  type PackageDependencies,
  type Scriptlet,
  type SourceFile,
  type SourcePackage,
  type Trigger,
} from './package.ts';
