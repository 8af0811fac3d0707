/** Packages are installed, upgraded and erased in a root of their own; what goes wrong there is told. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kiln, run } from './run-kiln.ts';
import { edit, REPOSITORY } from './small-tree.ts';
import { useSmallTree } from './use-small-tree.ts';

const tree = useSmallTree();
const build = async (name: string) => {
  const { status, output } = await kiln(tree, 'rpm', name);
  expect(status, output).toBe(0);
};
const cycle = (...packages: string[]) =>
  run(tree, [
    join(REPOSITORY, 'node_modules/.bin/tsx'),
    join(REPOSITORY, 'tools/conformance/install-cycle.ts'),
    ...packages,
  ]);

it('says nothing of a package that comes and goes without a trace', async () => {
  expect((await cycle('alone')).output).toContain('is not built');
  await build('alone');
  const { status, output } = await cycle('alone');
  expect(output).toBe('ok     alone/alone (1 packages)\n1 of 1 packages without findings\n');
  expect(status).toBe(0);
}, 300_000);

it('names scriptlets that fail, files that change and what is left behind', async () => {
  const scriptlets = [
    '%post -p <lua>',
    "io.open('/usr/share/alone/made', 'w'):close()",
    "io.open('/usr/share/alone/alone.c', 'a'):write('changed'):close()",
    '%postun -p <lua>',
    "error('no')",
  ];
  edit(tree, 'SPECS/alone/alone.spec', (text) => text.replace('\n%files', `\n${scriptlets.join('\n')}\n\n%files`));
  await build('alone');
  const { status, output } = await cycle('alone');
  expect(status).toBe(1);
  expect(output).toMatch(/verify-installed: S\.5\.+T\. +\/usr\/share\/alone\/alone\.c/);
  expect(output).toMatch(/upgrade: .*script failed/);
  expect(output).toMatch(/erase: .*script failed/);
  expect(output).toMatch(/left behind: \/usr\/share\/alone\n/);
  expect(output).toContain('0 of 1 packages without findings');
}, 300_000);

it('names what nothing provides', async () => {
  edit(tree, 'SPECS/alone/alone.spec', (text) => text.replace('License:', 'Requires: nobody\nLicense:'));
  await build('alone');
  const { output } = await cycle('alone');
  expect(output).toContain('alone requires nobody: nothing provides it');
}, 300_000);
