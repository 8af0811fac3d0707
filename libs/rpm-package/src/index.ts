export { vercmp } from './vercmp.ts';
export { compareEvr, formatEvr, parseEvr, type Evr } from './evr.ts';
export {
  formatDependency,
  isRich,
  parseDependency,
  satisfies,
  type Dependency,
  type DependencyOperator,
} from './dependency.ts';
export {
  formatNevra,
  rpmFileName,
  type BinaryPackage,
  type LocatedDependency,
  type PackageDependencies,
  type SourceFile,
  type SourcePackage,
} from './package.ts';
