/** The kinds of dependencies in the order in which commands list them. */
import type { PackageDependencies } from '@kiln/rpm-package';

export type DependencyKind = keyof PackageDependencies;

export const DEPENDENCY_KINDS: readonly DependencyKind[] = [
  'provides',
  'requires',
  'conflicts',
  'obsoletes',
  'recommends',
  'suggests',
  'supplements',
  'enhances',
];
