/** What became of the parts of a package's check as a JUnit file, which CI systems read. Without times: the same result is the same file. */

export type TestOutcome =
  | { readonly outcome: 'passed'; readonly attempts?: number }
  | { readonly outcome: 'skipped'; readonly reason: string }
  /** `log` is a path. */
  | { readonly outcome: 'failed'; readonly message: string; readonly log?: string };

/** One suite with a test for each part; XML 1.0 as the schema of the Ant task has it. */
export function junitReport(id: string, outcomes: Readonly<Record<string, TestOutcome>>): string {
  const parts = Object.entries(outcomes);
  const count = (wanted: TestOutcome['outcome']) => parts.filter(([, { outcome }]) => outcome === wanted).length;
  const totals = `tests="${parts.length}" failures="${count('failed')}" errors="0" skipped="${count('skipped')}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escaped(id)}" ${totals}>`,
    ...parts.flatMap(([name, outcome]) => [
      `  <testcase classname="${escaped(id)}" name="${escaped(name)}">`,
      ...detailsOf(outcome).map((line) => `    ${line}`),
      '  </testcase>',
    ]),
    '</testsuite>',
    '',
  ].join('\n');
}

function detailsOf(outcome: TestOutcome): string[] {
  switch (outcome.outcome) {
    case 'passed':
      return (outcome.attempts ?? 1) === 1 ? [] : [`<system-out>passed at attempt ${outcome.attempts}</system-out>`];
    case 'skipped':
      return [`<skipped message="${escaped(outcome.reason)}"/>`];
    case 'failed': {
      const [first = '', ...rest] = outcome.message.split('\n');
      const log = outcome.log === undefined ? [] : [`log: ${outcome.log}`];
      return [`<failure message="${escaped(first)}">${escaped([...rest, ...log].join('\n'))}</failure>`];
    }
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Characters that XML 1.0 doesn't have, which logs may hold, become U+FFFD. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replace(/[&<>"]/g, (one) => ENTITIES[one]!);
}
