export { bumpSpec, type BumpedSpec, type BumpEntry } from './bump-spec.ts';
export {
  evaluateSpec,
  type EvaluatedSpec,
  type EvaluateSpecOptions,
  type ExplainedMacro,
  type ReadMacro,
} from './evaluate-spec.ts';
export type { ChangelogEntry } from './spec-state.ts';
export { SECTIONS, type Section, type SectionKind } from './sections.ts';
export { PREAMBLE_TAGS, type PreambleTag, type TagMeaning } from './preamble-tags.ts';
export {
  parse,
  stringify,
  walk,
  type Branch,
  type ConditionalNode,
  type DefinitionNode,
  type IncludeNode,
  type SectionNode,
  type SourceRange,
  type SpecNode,
  type SpecTree,
  type TagNode,
  type TextNode,
} from './spec-tree.ts';
export { sectionOf } from './sections.ts';
