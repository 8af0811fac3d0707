/** What a requirement means: which packages satisfy it alone, and whether a set of packages satisfies it. */
import {
  isRich,
  parseRichDependency,
  RichDependencyError,
  type Dependency,
  type RichDependency,
} from '@kiln/rpm-package';
import type { Provider } from './provider.ts';

/** Packages that satisfy a simple dependency. */
export type Lookup = (dependency: Dependency) => readonly Provider[];

/** A dependency as a formula. A text that is no rich dependency stays a simple one, which nobody provides. */
export function parseRequirement(dependency: Dependency): RichDependency {
  if (!isRich(dependency)) return { kind: 'simple', dependency };
  try {
    return parseRichDependency(dependency.name).value;
  } catch (error) {
    if (!(error instanceof RichDependencyError)) throw error;
    return { kind: 'simple', dependency };
  }
}

/** Whether one package can satisfy the formula alone; else it relates several. */
export function isAboutOnePackage(value: RichDependency): boolean {
  if (value.kind === 'simple') return true;
  return ['group', 'or', 'with', 'without'].includes(value.kind) && value.operands.every(isAboutOnePackage);
}

/** Packages that satisfy the formula alone, each once; `with` and `without` look at one package's capabilities (rpm.org, boolean dependencies). */
export function matching(value: RichDependency, lookup: Lookup): readonly Provider[] {
  if (value.kind === 'simple') return lookup(value.dependency);
  const [first = [], ...others] = value.operands.map((operand) => matching(operand, lookup));
  const included = (one: Provider) => (list: readonly Provider[]) => list.includes(one);
  switch (value.kind) {
    case 'group':
      return first;
    case 'or':
      return [...new Set([first, ...others].flat())];
    case 'with':
      return first.filter((one) => others.every(included(one)));
    case 'without':
      return first.filter((one) => !others.some(included(one)));
    default:
      return [];
  }
}

/**
 * Whether installed packages satisfy the formula; `lookup` finds among them. As rpm reads it (rpmdepsCheck, lib/depends.c):
 * `A if B` is A or not B; `A if B else C` is (A or not B) and (C or B); `A unless B` is A and not B; with `else`, C when B.
 */
export function holds(value: RichDependency, lookup: Lookup): boolean {
  if (value.kind === 'simple') return lookup(value.dependency).length > 0;
  const [first, second, third] = value.operands;
  const holding = (operand: RichDependency | undefined, otherwise: boolean) =>
    operand === undefined ? otherwise : holds(operand, lookup);
  switch (value.kind) {
    case 'group':
      return holding(first, false);
    case 'and':
      return value.operands.every((operand) => holds(operand, lookup));
    case 'or':
      return value.operands.some((operand) => holds(operand, lookup));
    case 'if':
      return holding(second, false) ? holding(first, false) : holding(third, true);
    case 'unless':
      return holding(second, false) ? holding(third, false) : holding(first, false);
    default:
      return matching(value, lookup).length > 0;
  }
}

/** Whether the formula could hold for some set of all packages; conditions count as free. */
export function isFeasible(value: RichDependency, lookup: Lookup): boolean {
  if (value.kind === 'simple') return lookup(value.dependency).length > 0;
  switch (value.kind) {
    case 'and':
      return value.operands.every((operand) => isFeasible(operand, lookup));
    case 'or':
      return value.operands.some((operand) => isFeasible(operand, lookup));
    case 'if':
      return true;
    case 'unless':
    case 'group':
      return isFeasible(value.operands[0]!, lookup);
    default:
      return matching(value, lookup).length > 0;
  }
}
