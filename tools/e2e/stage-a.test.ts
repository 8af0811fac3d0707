/** A toolchain from source through Nx: a table of three small steps instead of all that a compiler takes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { kiln, nx } from './run-kiln.ts';
import { commit, edit, REPOSITORY, write } from './small-tree.ts';
import { useSmallTree } from './use-small-tree.ts';

const STEPS = 'toolkit/stage-a/steps.json';
const tree = useSmallTree();

const SCRIPTS: Readonly<Record<string, string>> = {
  'answer.sh': `printf 'int main(void) { return 42; }' > answer.c
gcc -static -O2 answer.c -o answer
install -D answer "$OUT$CROSS/bin/answer"
`,
  'word.sh': 'mkdir -p "$OUT$SYSROOT/usr/share"; echo "${OPTIONS[0]}" > "$OUT$SYSROOT/usr/share/word"\n',
  'text.sh': `status=0; answer || status=$?
mkdir -p "$OUT$SYSROOT/usr/share"
echo "$(cat "$SYSROOT/usr/share/word") $status" > "$OUT$SYSROOT/usr/share/text"
`,
};

const step = (name: string, needs: readonly string[], more: object = {}) => ({
  ...{ name, needs, description: `The step ${name}`, root: 'seed', sources: [], scripts: [`${name}.sh`], ...more },
});

beforeAll(() => {
  const { seed } = JSON.parse(readFileSync(join(REPOSITORY, STEPS), 'utf8')) as { seed: object };
  const table = {
    ...{ target: 'x86_64-kiln-linux-gnu', specs: 'SPECS', sourceLock: 'toolkit/sources/debian.lock', seed },
    ...{ provides: {}, members: [] },
    steps: [
      step('answer', []),
      step('word', [], { options: ['the answer is'] }),
      step('text', ['answer', 'word'], { kept: 'all' }),
    ],
  };
  write(tree.root, STEPS, JSON.stringify(table, undefined, 2));
  write(tree.root, 'toolkit/stage-a/lock.json', '{"libraryCapabilities":[],"perlCapabilities":[],"programs":[]}\n');
  for (const [name, text] of Object.entries(SCRIPTS)) write(tree.root, `toolkit/stage-a/scripts/${name}`, text);
  commit(tree, 'Steps of a toolchain from source');
});

describe.sequential('nx run toolchain:stage-a', { timeout: 900_000 }, () => {
  test('does each step after those that it needs, and puts the root together', async () => {
    const { status, output, built } = await nx(tree, 'run', 'toolchain:stage-a');
    expect(status, output).toBe(0);
    const steps = ['answer', 'word', 'text'].map((name) => `bootstrap-step:${name}`);
    expect([...built].sort()).toEqual([...steps, 'stage-a:toolchain'].sort());
    expect(built.slice(2)).toEqual(['bootstrap-step:text', 'stage-a:toolchain']);
    const planned = await kiln(tree, 'bootstrap', '--plan');
    expect(planned.output).toContain('3 of 3 steps done here, 0 to be built');
  });

  test('does again what was changed, and what comes after it', async () => {
    edit(tree, STEPS, (text) => text.replace('the answer is', 'the answer was'));
    const { status, output, built } = await nx(tree, 'run', 'toolchain:stage-a');
    expect(status, output).toBe(0);
    expect(built).toEqual(['bootstrap-step:word', 'bootstrap-step:text', 'stage-a:toolchain']);
  });

  test('tells what a step said when it failed', async () => {
    edit(tree, 'toolkit/stage-a/scripts/text.sh', (text) => `echo "error: there is no answer" >&2; exit 3\n${text}`);
    const { status, output } = await nx(tree, 'run', 'toolchain:stage-a');
    expect(status).not.toBe(0);
    expect(output).toContain("BOOTSTRAP_STEP_FAILED: the step 'text' ended with status 3: error: there is no answer");
  });

  test('has projects that Nx shows', async () => {
    const shown = await nx(tree, 'show', 'project', 'toolchain/text', '--json');
    expect(shown.status, shown.output).toBe(0);
    expect(shown.output).toContain('"Do one step of the toolchain from source"');
    const drawn = await nx(tree, 'run', 'toolchain:bootstrap', `--graph=${join(tree.directory, 'tasks.json')}`);
    expect(drawn.status, drawn.output).toBe(0);
    const { tasks } = JSON.parse(readFileSync(join(tree.directory, 'tasks.json'), 'utf8')) as { tasks: TaskGraph };
    expect(Object.keys(tasks.tasks)).toContain('toolchain/text:bootstrap-step');
  });
});

interface TaskGraph {
  readonly tasks: Readonly<Record<string, object>>;
}
