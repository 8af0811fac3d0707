export { ProviderIndex, type Provider } from './provider-index.ts';
export { resolveClosure, type Choice, type Closure, type ClosureOptions, type Unresolved } from './closure.ts';
export { buildGenerations, createSourceGraph, dependentsOf, findCycles, type SourceGraph } from './source-graph.ts';
