import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHost } from '@kiln/host';
import {
  bootstrapLogs,
  doStep,
  loadBootstrapPlan,
  makeBootstrapRoot,
  stepFiles,
  type BootstrapPlan,
} from '@kiln/toolchain';
import { files, host, openDirectory, readWorkspaceFile, testStore } from './toolchain-store.ts';

const store = testStore();
const place = openDirectory(mkdtempSync(join(tmpdir(), 'kiln-steps-')));
const root = openDirectory(join(place, 'tree'));

const SCRIPTS: Readonly<Record<string, string>> = {
  // The host's compiler, which the new root must not see.
  'compile.sh': `printf 'int main(void) { return 42; }' > a.c
gcc -static -O2 -Wl,--build-id=none a.c -o answer
mkdir -p "$OUT$CROSS/bin" "$OUT$SYSROOT/usr/bin"
cp answer "$OUT$CROSS/bin/answer"
echo "\${OPTIONS[*]}" > "$OUT$SYSROOT/usr/bin/options"
`,
  'use.sh': `status=0; answer || status=$?
mkdir -p "$OUT$SYSROOT/usr/share"
echo "$status $(cat "$SYSROOT/usr/bin/options")" > "$OUT$SYSROOT/usr/share/result"
`,
  'wait.sh': 'echo begun; sleep 600\n',
  'fail.sh':
    'echo "gcc -Wno-error -o error.o"; echo "a.c:1: error: it was not meant to be"; echo "make: *** [all] Error 2"; exit 3\n',
};

interface Step {
  readonly name: string;
  readonly needs?: string[];
  readonly script: string;
  readonly kept?: 'all';
}

/** A tree of its own for each: identities are those of the scripts, so that a marker keeps runs apart. */
function planOf(...steps: Step[]): BootstrapPlan {
  write('steps.json', {
    ...{
      target: 'x86_64-kiln-linux-gnu',
      specs: 'SPECS',
      sourceLock: 'debian.lock',
      seed: files,
      provides: {},
      members: [],
    },
    steps: steps.map(({ script, needs = [], ...step }) => ({
      ...{ ...step, needs, description: step.name, root: 'seed', sources: [], scripts: [script] },
      options: ['one', 'two words', place],
    })),
  });
  return loadBootstrapPlan(root, 'steps.json');
}

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

const stepOf = (plan: BootstrapPlan, name: string) => plan.steps.find((one) => one.name === name)!;
const run = (plan: BootstrapPlan, name: string, by = host) =>
  doStep(by, store, { plan, step: stepOf(plan, name), run: { logs: bootstrapLogs(root), jobs: 1 } });
const leftIn = (directory: string) =>
  (existsSync(join(store.directory, directory)) ? readdirSync(join(store.directory, directory)) : []).filter((name) =>
    name.includes(`-${process.pid}-`),
  );

beforeAll(() => {
  for (const path of Object.values(files)) write(path, readWorkspaceFile(path));
  for (const [name, text] of Object.entries(SCRIPTS)) write(`scripts/${name}`, text);
});

afterAll(() => rmSync(place, { recursive: true }));

test('a step sees what it needs, is done once, and leaves two trees', async () => {
  const plan = planOf({ name: 'compile', script: 'compile.sh' }, { name: 'use', needs: ['compile'], script: 'use.sh' });
  expect(await run(plan, 'use')).toBe(true);
  const result = readFileSync(join(stepFiles(store, stepOf(plan, 'use')), 'target/usr/share/result'), 'utf8');
  expect(result).toBe(`42 one two words ${place}\n`);
  expect(await run(plan, 'compile')).toBe(false);
  expect(await run(plan, 'use')).toBe(false);
}, 300_000);

test('a step that fails says why, and those before it stay done', async () => {
  const steps = (script: string) =>
    planOf({ name: 'compile', script: 'compile.sh' }, { name: 'last', needs: ['compile'], script });
  const plan = steps('fail.sh');
  await expect(run(plan, 'last')).rejects.toMatchObject({
    code: 'BOOTSTRAP_STEP_FAILED',
    message: "the step 'last' ended with status 3: a.c:1: error: it was not meant to be",
    log: join(bootstrapLogs(root), 'last.log'),
  });
  write('scripts/corrected.sh', 'answer || mkdir -p "$OUT$SYSROOT"\n');
  const corrected = steps('corrected.sh');
  expect(await run(corrected, 'compile')).toBe(false);
  expect(await run(corrected, 'last')).toBe(true);
});

test('a step that was interrupted leaves nothing, and those before it stay done', async () => {
  const plan = planOf(
    { name: 'compile', script: 'compile.sh' },
    { name: 'wait', needs: ['compile'], script: 'wait.sh' },
  );
  const interrupt = new AbortController();
  const log = join(bootstrapLogs(root), 'wait.log');
  const running = run(plan, 'wait', createHost({ signal: interrupt.signal }));
  const hasBegun = () => existsSync(log) && readFileSync(log, 'utf8').includes('begun');
  while (!hasBegun()) await new Promise((resolve) => setTimeout(resolve, 50));
  interrupt.abort();
  await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(existsSync(stepFiles(store, stepOf(plan, 'wait')))).toBe(false);
  expect([...leftIn('tmp'), ...leftIn('work')]).toEqual([]);
  expect(await run(plan, 'compile')).toBe(false);
});

test('a root that has traces of the host is refused', async () => {
  write(
    'scripts/linked.sh',
    `printf 'int main(void) { return 0; }' > a.c\ngcc a.c -o a\ninstall -D a "$OUT$SYSROOT/usr/bin/a"\n`,
  );
  const plan = planOf({ name: 'linked', script: 'linked.sh', kept: 'all' });
  const failure = await makeBootstrapRoot(host, store, { plan, action: 'stage-a' }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'FOREIGN_TRACES' });
  const messages = (failure as { diagnostics: { message: string }[] }).diagnostics.map(({ message }) => message);
  expect(messages).toContain("/usr/bin/a needs libc.so.6, which the root doesn't have");
  expect(messages).toContain("/usr/bin/a has the mark of Debian's compiler");
});

test('two steps may not leave one file', async () => {
  write('scripts/again.sh', `mkdir -p "$OUT$SYSROOT/usr/bin"; echo other > "$OUT$SYSROOT/usr/bin/options"\n`);
  const plan = planOf(
    { name: 'compile', script: 'compile.sh', kept: 'all' },
    { name: 'again', script: 'again.sh', kept: 'all' },
  );
  await expect(makeBootstrapRoot(host, store, { plan, action: 'stage-a' })).rejects.toMatchObject({
    code: 'BOOTSTRAP_FILES_CLASH',
    message: "the steps 'compile' and 'again' both leave /usr/bin/options",
  });
});
