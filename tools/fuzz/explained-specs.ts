/** Differences of specs that are known and not the evaluator's. */
import type { SpecDifference } from './spec-sides.ts';

const EXPLANATIONS: readonly (readonly [why: string, holds: (difference: SpecDifference) => boolean])[] = [
  [
    'rpm reads past the end of a text that ends with a backslash inside an open bracket (matchchar skips its end)',
    ({ kilnMessages }) => kilnMessages.some((message) => /unterminated .*\\$/s.test(message)),
  ],
  [
    'a sub-package declared after %changelog inherits its entries; the evaluated package has one changelog for the spec',
    ({ fields }) => fields.every(({ field }) => /^packages\[[1-9]\d*\]\.changelog_n$/.test(field)),
  ],
  [
    'an epoch is a number in the evaluated package: `:1` and `00:1` are shown as `0:1`, which means the same',
    ({ fields }) => fields.every(({ rpm, kiln }) => withPlainEpochs(rpm) === withPlainEpochs(kiln)),
  ],
];

function withPlainEpochs(value: unknown): string {
  return JSON.stringify(value).replace(
    /(?<=")0*(\d*):(?=[^"]*",)/g,
    (_, epoch: string) => `${epoch === '' ? '0' : epoch}:`,
  );
}

/** Why the two sides may differ on this spec; undefined when they may not. */
export function specExplanationOf(difference: SpecDifference): string | undefined {
  return EXPLANATIONS.find(([, holds]) => holds(difference))?.[0];
}
