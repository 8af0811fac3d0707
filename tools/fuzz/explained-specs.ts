/** Differences of specs that are known and not the evaluator's. */
import type { SpecDifference } from './spec-sides.ts';

const EXPLANATIONS: readonly (readonly [why: string, holds: (difference: SpecDifference) => boolean])[] = [
  [
    'rpm reads past the end of a text that ends with a backslash inside an open bracket (matchchar skips its end)',
    ({ kilnMessages }) => kilnMessages.some((message) => /unterminated .*\\$/s.test(message)),
  ],
];

/** Why the two sides may differ on this spec; undefined when they may not. */
export function specExplanationOf(difference: SpecDifference): string | undefined {
  return EXPLANATIONS.find(([, holds]) => holds(difference))?.[0];
}
