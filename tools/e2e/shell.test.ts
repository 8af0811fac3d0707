/** `kiln shell` on a terminal, as docs/debugging.md walks through it; and settings of single packages. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { shellQuote } from '@kiln/host';
import { kiln, kilnCommand } from './run-kiln.ts';
import { edit, REPOSITORY, restore, write } from './small-tree.ts';
import { useSmallTree } from './use-small-tree.ts';

const MINUTES = 60_000;
const tree = useSmallTree();

afterEach(() => restore(tree));

/** Types lines into `kiln shell` on a pseudo terminal and returns what it shows. */
function shell(args: readonly string[], ...lines: string[]): string {
  const { status, stdout } = onTerminal(['shell', ...args], ...lines);
  expect(status, stdout).toBe(0);
  return stdout;
}

function onTerminal(args: readonly string[], ...lines: string[]) {
  const command = shellQuote(kilnCommand(...args));
  return spawnSync('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: tree.root,
    input: [...lines, 'exit', ''].join('\n'),
    encoding: 'utf8',
    env: {
      ...process.env,
      CI: 'true',
      NO_COLOR: '1',
      KILN_STORE: tree.store,
      KILN_TOKENS: join(tree.store, 'tokens'),
    },
    timeout: 5 * MINUTES,
  });
}

test(
  'a failed build is looked at and tried again in its root; nothing of that stays',
  { timeout: 10 * MINUTES },
  async () => {
    edit(tree, 'SPECS/alone/alone.spec', (text) =>
      text.replace('%build\n', '%build\necho left > %{_topdir}/BUILD/trace; test -e %{_topdir}/repaired\n'),
    );
    const failed = await kiln(tree, 'rpm', 'alone');
    expect(failed.output).toContain('kiln shell');
    expect(failed.status).toBe(1);

    const documented = readFileSync(join(REPOSITORY, 'docs/debugging.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('rpmbuild '))
      .map((line) => `${line.split('#')[0]!.trim().replace('sed.spec', 'alone.spec')} && echo "DO""NE"`);
    expect(documented).toHaveLength(3);
    const shown = shell(['alone'], 'cat BUILD/trace', 'touch repaired', ...documented, 'id -u; touch /etc/x');
    expect(shown).toMatch(/^left\r?$/m);
    expect(shown.match(/^DONE\r?$/gm), shown).toHaveLength(3);
    expect(shown).toMatch(/^1000\r?$/m);
    expect(shown).toContain('Read-only file system');

    expect(shell(['alone'], 'ls repaired')).toContain('cannot access');
    expect(shell(['alone', '--fresh'], 'cat BUILD/trace')).toContain('No such file');
    expect(readdirSync(join(tree.store, 'work'))).toEqual([]);
    restore(tree);
    expect((await kiln(tree, 'rpm', 'alone')).status).toBe(0);
    expect(readdirSync(join(tree.store, 'failed'))).toEqual([]);
  },
);

test('a shell opens where a build fails, when it is asked for before', { timeout: 10 * MINUTES }, () => {
  edit(tree, 'SPECS/alone/alone.spec', (text) =>
    text.replace('%build\n', '%build\necho left > %{_topdir}/BUILD/trace; false\n'),
  );
  const { status, stdout } = onTerminal(['rpm', '--shell', 'alone'], 'cat /usr/src/kiln/BUILD/trace');
  expect(status).toBe(1);
  expect(stdout).toMatch(/error RPMBUILD_FAILED: the %build section of alone\/alone failed/);
  expect(stdout).toMatch(/^left\r?$/m);
});

test('without a terminal there is no shell', { timeout: 5 * MINUTES }, async () => {
  expect((await kiln(tree, 'rpm', '--shell', 'alone')).output).toMatch(/error NO_TERMINAL/);
  const ran = await kiln(tree, 'shell', 'alone');
  expect(ran.status).toBe(1);
  expect(ran.output).toContain('error NO_TERMINAL');
});

test('settings rebuild a package exactly when they can change it', { timeout: 10 * MINUTES }, async () => {
  const settings = (value: object) =>
    write(tree.root, 'toolkit/packages.json', JSON.stringify({ 'alone/alone': value }));
  expect((await kiln(tree, 'rpm', 'alone')).status).toBe(0);
  settings({ limits: { seconds: 100, memoryBytes: 2 ** 30 }, check: { flaky: 'it measures time' } });
  expect((await kiln(tree, 'rpm', 'alone')).built).toEqual([]);
  settings({ defines: { nothing_of_it: '1' } });
  expect((await kiln(tree, 'rpm', 'alone')).built).toEqual(['rpm:alone/alone']);

  edit(
    tree,
    'SPECS/alone/alone.spec',
    (text) => `%bcond tail 0\n${text.replace('1%{?dist}', '%{?with_tail:2}%{!?with_tail:1}%{?dist}')}`,
  );
  settings({ with: ['tail'] });
  const ran = await kiln(tree, 'rpm', 'alone');
  expect(ran.status, ran.output).toBe(0);
  expect(existsSync(join(tree.root, 'dist/rpms/x86_64/alone-1.0-2.kl1.noarch.rpm'))).toBe(true);

  settings({ with: ['tial'] });
  expect((await kiln(tree, 'rpm', 'alone')).output).toContain(
    "the build conditional 'tial', which the spec doesn't have",
  );
  write(tree.root, 'toolkit/packages.json', JSON.stringify({ 'alone/alon': {} }));
  expect((await kiln(tree, 'rpm', 'alone')).output).toContain("no package 'alone/alon'; did you mean 'alone/alone'?");
  rmSync(join(tree.root, 'toolkit/packages.json'));
});
