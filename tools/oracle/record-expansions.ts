/**
 * Records what real rpm expands texts to: `npx tsx tools/oracle/record-expansions.ts [--rpm <program>] [--file <expansions.json>]`.
 * Each text is expanded alone, with rpm's built-in macros only; one that rpm refuses gets `"fails": true`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** One text with rpm's answer. */
export interface RecordedExpansion {
  readonly text: string;
  readonly result?: string;
  readonly fails?: true;
}

const { values } = parseArgs({
  options: {
    rpm: { type: 'string', default: 'rpm' },
    file: { type: 'string', default: 'libs/rpm-macro/test/fixtures/expansions.json' },
  },
});
const texts = JSON.parse(readFileSync(values.file, 'utf8')) as RecordedExpansion[];
const recorded = texts.map(({ text }): RecordedExpansion => {
  const run = spawnSync(values.rpm, ['--macros', '/dev/null', '--eval', text], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return run.status === 0 ? { text, result: run.stdout.slice(0, -1) } : { text, fails: true };
});
writeFileSync(values.file, `[\n${recorded.map((item) => `  ${JSON.stringify(item)}`).join(',\n')}\n]\n`);
