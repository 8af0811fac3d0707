/** Expansions as real rpm made them (tools/oracle/record-expansions.ts). */
import { readFileSync } from 'node:fs';
import { MacroContext } from '@kiln/rpm-macro';
import { describe, expect, it } from 'vitest';

interface RecordedExpansion {
  readonly text: string;
  readonly result?: string;
  readonly fails?: true;
}

const recorded = JSON.parse(
  readFileSync(new URL('fixtures/expansions.json', import.meta.url), 'utf8'),
) as RecordedExpansion[];

/** The shell commands of the recorded texts. */
const ANSWERS: Readonly<Record<string, string>> = {
  'echo hello': 'hello\n',
  'echo a; echo b': 'a\nb\n',
  'printf "a\\n\\n"': 'a\n\n',
  'exit 3': '',
  'echo "%{x}"': '%{x}\n',
  'echo cmd': 'cmd\n',
  'echo x\n': 'x\n',
};

describe('expansion', () => {
  for (const { text, result } of recorded) {
    it(JSON.stringify(text), () => {
      const context = new MacroContext({ ports: { shell: (command) => ANSWERS[command], exists: () => false } });
      expect(context.tryExpand(text, { file: 'text', line: 1 })).toBe(result);
    });
  }
});
