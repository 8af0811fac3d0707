/** The target `check`: `%check` on its own, with what it asks for beside the build; failing, flaky and skipped ones. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { shellQuote } from '@kiln/host';
import { kiln, kilnCommand, nx } from './run-kiln.ts';
import { edit, REPOSITORY, restore, write } from './small-tree.ts';
import { useSmallTree } from './use-small-tree.ts';

const MINUTES = 60_000;
const SPEC = 'SPECS/alone/alone.spec';
const tree = useSmallTree();

afterEach(() => {
  restore(tree);
  rmSync(join(tree.root, 'toolkit/packages.json'), { force: true });
});

/** Gives the package `alone` a `%check`, and further lines to its preamble. */
function withCheck(script: string, preamble = ''): void {
  edit(tree, SPEC, (text) =>
    text.replace('\n%files', `\n%check\n${script}\n\n%files`).replace('BuildArch:', `${preamble}BuildArch:`),
  );
}

/** What rpmbuild ran in the last check of `alone`, or passed by without running it. */
function sectionsRun(): string[] {
  const log = readFileSync(join(tree.root, 'dist/logs/check/alone/alone.log'), 'utf8');
  return [...log.matchAll(/^Executing\((%(?:prep|build|install|check))\)/gm)].map(([, section]) => section!);
}

const report = (name: string): string => readFileSync(join(tree.root, `dist/checks/${name}/${name}.xml`), 'utf8');

test('runs after the build, sees what was installed, and is done once', { timeout: 5 * MINUTES }, async () => {
  withCheck('cmp %{SOURCE0} %{buildroot}%{_datadir}/alone/alone.c\ntouch %{buildroot}%{_datadir}/alone/left-by-check');
  const { status, output, built } = await nx(tree, 'run-many', '-t', 'rpm', 'check', '-p', 'alone/alone');
  expect(status, output).toBe(0);
  expect(built.filter((task) => !task.startsWith('toolchain'))).toEqual(['rpm:alone/alone', 'check:alone/alone']);
  expect(report('alone')).toMatch(/tests="1" failures="0" errors="0" skipped="0"/);
  // It ran in the tree that the build left.
  expect(sectionsRun()).toEqual(['%install', '%check']);
  expect(readdirSync(join(tree.store, 'work'))).toEqual([]);
  expect((await kiln(tree, 'check', 'alone')).built).toEqual([]);
});

test('a spec that builds otherwise for its check is built for it', { timeout: 5 * MINUTES }, async () => {
  withCheck('test -e for-check');
  edit(tree, SPEC, (text) => text.replace('%build\n', '%build\n%if 0%{?with_check}\ntouch for-check\n%endif\n'));
  const { status, output } = await kiln(tree, 'check', 'alone');
  expect(status, output).toBe(0);
  expect(sectionsRun()).toEqual(['%prep', '%build', '%install', '%install', '%check']);
});

test(
  'a failing check fails the run, not the build; a shell opens where it failed',
  { timeout: 10 * MINUTES },
  async () => {
    withCheck('echo "one & one is <three>"; touch trace; test -e repaired');
    expect((await kiln(tree, 'rpm', 'alone')).status).toBe(0);
    const ran = await kiln(tree, 'check', 'alone');
    expect(ran.status).toBe(1);
    const line = readFileSync(join(tree.root, SPEC), 'utf8').split('\n').indexOf('%check') + 1;
    expect(ran.output).toContain(`${SPEC}:${line}: error TESTS_FAILED: the %check section of alone/alone failed`);
    expect(ran.output).toContain('dist/logs/check/alone/alone.log');
    expect(report('alone')).toContain('<failure message="the %check section of alone/alone failed">');
    expect(report('alone')).toContain('one &amp; one is &lt;three&gt;');
    const all = await nx(tree, 'run-many', '-t', 'rpm', 'check', '-p', 'alone/alone,one/one');
    expect(all.status).not.toBe(0);
    expect(all.failed).toEqual(['check:alone/alone']);

    const shown = execFileSync(
      'script',
      ['--quiet', '--return', '--command', shellQuote(kilnCommand('shell', '--check', 'alone')), '/dev/null'],
      {
        cwd: tree.root,
        input: 'ls trace && echo LE""FT\nexit\n',
        encoding: 'utf8',
        env: { ...process.env, CI: 'true', NO_COLOR: '1', KILN_STORE: tree.store },
        timeout: 5 * MINUTES,
      },
    );
    expect(shown).toMatch(/^LEFT\r?$/m);
    expect(shown).toContain('--short-circuit');
  },
);

test(
  'one that fails once: tried again when known for that, skipped when told so',
  { timeout: 10 * MINUTES },
  async () => {
    const settings = (check: object) =>
      write(tree.root, 'toolkit/packages.json', JSON.stringify({ 'alone/alone': { check } }));
    withCheck('[ -e %{_topdir}/home/tried ] || { touch %{_topdir}/home/tried; false; }');
    expect((await kiln(tree, 'check', 'alone')).output).toContain('error TESTS_FAILED');
    settings({ flaky: 'fails the first time' });
    const second = await kiln(tree, 'check', 'alone');
    expect(second.status, second.output).toBe(0);
    expect(second.output).toContain('CHECK_FLAKY');
    expect(report('alone')).toContain('passed at attempt 2');
    settings({ skip: 'fails the first time' });
    const skipped = await kiln(tree, 'check', 'alone');
    expect(skipped.status, skipped.output).toBe(0);
    expect(skipped.built).toEqual(['check:alone/alone']);
    expect(report('alone')).toContain('<skipped message="fails the first time"/>');
    restore(tree);
    rmSync(join(tree.root, 'toolkit/packages.json'));
    expect((await kiln(tree, 'check', 'alone')).status).toBe(0);
    expect(report('alone')).toContain('<skipped message="the spec has no %check"/>');
  },
);

test(
  'what only tests need is in the root of the check, though it needs the package itself',
  { timeout: 10 * MINUTES },
  async () => {
    const wanted = '%if 0%{?with_check}\nBuildRequires: one-devel, three\n%endif\n';
    edit(tree, 'SPECS/three/three.spec', (text) =>
      text.replace('BuildRequires:  gcc', 'Requires: alone\nBuildRequires:  gcc, alone'),
    );
    withCheck('test -e %{_includedir}/one.h; test "$(three)" = 3; test -e %{_datadir}/alone/alone.c', wanted);
    edit(tree, SPEC, (text) => text.replace('%build\n', '%build\ntest 0%{?with_check} = 01 || ! command -v three\n'));
    const { status, output, built } = await kiln(tree, 'check', 'alone');
    expect(status, output).toBe(0);
    expect(built.indexOf('rpm:alone/alone')).toBeLessThan(built.indexOf('check:alone/alone'));
    edit(tree, SPEC, (text) => text.replace('one-devel, three', 'no-such-thing'));
    expect((await kiln(tree, 'rpm', 'alone')).status).toBe(0);
    const broken = await kiln(tree, 'check', 'alone');
    expect(broken.status).toBe(1);
    expect(broken.output).toMatch(/DEPENDENCY_UNRESOLVED: .*'no-such-thing'/);
  },
);

test(
  'rpmlint looks at what was built; its errors fail the check unless they are waived',
  { timeout: 10 * MINUTES },
  async () => {
    const { lint } = JSON.parse(readFileSync(join(REPOSITORY, 'toolkit/distro.json'), 'utf8')) as { lint: object };
    edit(tree, 'toolkit/distro.json', (text) => JSON.stringify({ ...(JSON.parse(text) as object), lint }));
    withCheck('true');
    const clean = await kiln(tree, 'check', 'alone');
    expect(clean.status, clean.output).toBe(0);
    expect(report('alone')).toMatch(/tests="2" failures="0"/);
    expect(readFileSync(join(tree.root, 'dist/checks/alone/alone.rpmlint.txt'), 'utf8')).toContain('no-signature');

    edit(tree, SPEC, (text) => text.replace('\n%check', '\nchmod 777 %{buildroot}%{_datadir}/alone/alone.c\n\n%check'));
    edit(tree, SPEC, (text) => text.replace('\ntrue\n', '\nfalse\n'));
    const both = await kiln(tree, 'check', 'alone');
    expect(both.status).toBe(1);
    expect(both.output).toContain('error CHECK_FAILED: the check of alone/alone fails twice');
    expect(both.output).toMatch(/alone\.noarch: world-writable \/usr\/share\/alone\/alone\.c 777/);
    expect(report('alone')).toMatch(/tests="2" failures="2"/);

    edit(tree, SPEC, (text) => text.replace('\nfalse\n', '\ntrue\n'));
    const linted = await kiln(tree, 'check', 'alone');
    expect(linted.output).toMatch(/error LINT_FAILED: rpmlint finds \d+ errors? in the RPMs of alone\/alone/);
    const rules = [...linted.output.matchAll(/alone\.noarch: (\S+) \/usr/g)].map(([, rule]) => rule!);
    const waivers = rules.map((rule) => ({
      rule,
      path: '/usr/share/alone/alone.c',
      reason: 'everybody may write there',
    }));
    write(tree.root, 'toolkit/packages.json', JSON.stringify({ 'alone/alone': { lint: waivers } }));
    const waived = await kiln(tree, 'check', 'alone');
    expect(waived.status, waived.output).toBe(0);
    expect(waived.output).not.toContain('%check');
  },
);
