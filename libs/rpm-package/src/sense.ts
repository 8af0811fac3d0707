/** The flag bits of a dependency (RPMSENSE_*, rpmds.h). */
import type { Dependency, DependencyOperator } from './dependency.ts';

export const SENSE = {
  less: 1 << 1,
  greater: 1 << 2,
  equal: 1 << 3,
  posttrans: 1 << 5,
  prereq: 1 << 6,
  pretrans: 1 << 7,
  interp: 1 << 8,
  pre: 1 << 9,
  post: 1 << 10,
  preun: 1 << 11,
  postun: 1 << 12,
  verify: 1 << 13,
  missingok: 1 << 19,
  rpmlib: 1 << 24,
  meta: 1 << 29,
} as const;

const COMPARISONS: Readonly<Record<DependencyOperator, number>> = {
  '<': SENSE.less,
  '<=': SENSE.less | SENSE.equal,
  '=': SENSE.equal,
  '>=': SENSE.greater | SENSE.equal,
  '>': SENSE.greater,
};

/** All bits of a dependency, those of its comparison included, as the header has them. */
export function senseOf({ operator, sense }: Dependency): number {
  return (sense ?? 0) | (operator === undefined ? 0 : COMPARISONS[operator]);
}
