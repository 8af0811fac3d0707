/** Differences that are known and not the evaluator's: where rpm has no defined answer. */
import type { MacroOutcome } from './rpm-macros.ts';

interface Sides {
  readonly text: string;
  readonly rpm: MacroOutcome;
  readonly kiln: MacroOutcome;
}

const EXPLANATIONS: readonly (readonly [why: string, holds: (sides: Sides) => boolean])[] = [
  [
    'rpm died: a crash or an endless loop where the evaluator gives an error or a value',
    ({ rpm }) => rpm.died === true,
  ],
  [
    'rpm reads past the end of a text that ends with a backslash inside an open bracket (matchchar skips its end)',
    ({ text, kiln }) =>
      /\\(\n|[)}\]]|$)/.test(text) && kiln.messages.some((message) => message.includes('unterminated')),
  ],
  [
    'rpm takes the negated byte of an unknown option that is not ASCII for the number of the first argument',
    ({ kiln }) => kiln.messages.some((message) => /unknown option [^\0-\x7f]/.test(message)),
  ],
];

/** Why the two sides may differ on this text; undefined when they may not. */
export function explanationOf(sides: Sides): string | undefined {
  return EXPLANATIONS.find(([, holds]) => holds(sides))?.[0];
}
