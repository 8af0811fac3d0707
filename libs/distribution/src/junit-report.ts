/** What became of a package's `%check` as a JUnit file, which CI systems read. Without times: the same result is the same file. */

export type TestOutcome =
  | { readonly outcome: 'passed'; readonly attempts: number }
  | { readonly outcome: 'skipped'; readonly reason: string }
  /** `log` is a path. */
  | { readonly outcome: 'failed'; readonly message: string; readonly log: string };

/** One suite with one test; XML 1.0 as the schema of the Ant task has it. */
export function junitReport(id: string, outcome: TestOutcome): string {
  const [failures, skipped] = [outcome.outcome === 'failed' ? 1 : 0, outcome.outcome === 'skipped' ? 1 : 0];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escaped(id)}" tests="1" failures="${failures}" errors="0" skipped="${skipped}">`,
    `  <testcase classname="${escaped(id)}" name="%check">`,
    ...detailsOf(outcome).map((line) => `    ${line}`),
    '  </testcase>',
    '</testsuite>',
    '',
  ].join('\n');
}

function detailsOf(outcome: TestOutcome): string[] {
  switch (outcome.outcome) {
    case 'passed':
      return outcome.attempts === 1 ? [] : [`<system-out>passed at attempt ${outcome.attempts}</system-out>`];
    case 'skipped':
      return [`<skipped message="${escaped(outcome.reason)}"/>`];
    case 'failed': {
      const [first = '', ...rest] = outcome.message.split('\n');
      return [`<failure message="${escaped(first)}">${escaped([...rest, `log: ${outcome.log}`].join('\n'))}</failure>`];
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
