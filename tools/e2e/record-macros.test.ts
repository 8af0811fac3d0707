/** Shell commands in macros: never run by reading, answered from a recording that is made in the sandboxed root. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kiln } from './run-kiln.ts';
import { edit } from './small-tree.ts';
import { useSmallTree } from './use-small-tree.ts';

const tree = useSmallTree();

test('a command is reported, recorded in the sandbox, and then answered', { timeout: 300_000 }, async () => {
  const trace = join(tree.directory, 'ran-on-the-machine');
  edit(tree, 'SPECS/alone/alone.spec', (text) =>
    text.replace(
      'Version:        1.0',
      `Version:        1.%(touch ${trace} 2>/dev/null; id -u; gcc -dumpversion | sed 's/^/ignored /' >&2)`,
    ),
  );
  const before = await kiln(tree, 'rpm', 'alone');
  expect(before.status).toBe(1);
  expect(before.output).toMatch(/SPECS\/alone\/alone\.spec:\d+(:\d+)?: error SHELL_NO_ANSWER: .*id -u/);
  expect((await kiln(tree, 'record-macros')).output).toContain('MACRO_ANSWERS_UNSET');

  edit(tree, 'toolkit/distro.json', (text) =>
    text.replace('"provides":', '"macroAnswers": "toolkit/macro-answers.json",\n  "provides":'),
  );
  const recorded = await kiln(tree, 'record-macros');
  expect(recorded.status, recorded.output).toBe(0);
  const { shell } = JSON.parse(readFileSync(join(tree.root, 'toolkit/macro-answers.json'), 'utf8')) as {
    shell: Record<string, string>;
  };
  expect(Object.values(shell)).toEqual(['1000\n']);

  expect((await kiln(tree, 'spec', 'query', 'SPECS/alone/alone.spec')).output.trim()).toBe('alone-1.1000-1.kl1.noarch');
  expect(existsSync(trace)).toBe(false);
  const again = await kiln(tree, 'record-macros');
  expect(again.output).toContain('1 command, 0 new, 0 gone');
});

test('macros in Lua are evaluated', { timeout: 300_000 }, async () => {
  edit(tree, 'SPECS/two/two.spec', (text) =>
    text.replace('Version:        1.0', 'Version:        %{lua: print(1 + 1)}'),
  );
  const ran = await kiln(tree, 'list');
  expect(ran.output).toContain('2-1.kl1');
});
