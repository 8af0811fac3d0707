export { filesSections } from './files-sections.ts';
export { predictProvides, type PredictablePackage, type Prediction, type PredictionRule } from './predictions.ts';
export { ProviderIndex } from './provider-index.ts';
export type { Provider } from './provider.ts';
export { isAmbiguous, type Choice, type ChoiceReason } from './choice.ts';
export { resolveClosure, type Closure, type ClosureOptions, type Unresolved } from './closure.ts';
export { examineRepository, type RepositoryExamination } from './examine-repository.ts';
export { findConflicts, type Conflict } from './conflicts.ts';
export { holds, isFeasible, matching, parseRequirement, type Lookup } from './requirement.ts';
export { reduceEdges } from './reduce-edges.ts';
export { originsBeside, relateSources, type SourceRelations, type SourceToRelate } from './source-relations.ts';
export {
  buildGenerations,
  createSourceGraph,
  dependentsOf,
  findCycles,
  formatDot,
  shortestCycle,
  type SourceGraph,
} from './source-graph.ts';
export { explainMember, type WhyQuestion, type WhyStep } from './why.ts';
