/** A second build of a package gives the same files, or it is told in what they differ. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kiln, nx } from './run-kiln.ts';
import { edit, makeSmallTree, type SmallTree } from './small-tree.ts';
import { sharedStore } from './test-store.ts';

/** The second build's user, where root can choose. */
const NOBODY = 65_534;
let top: string;
let tree: SmallTree;

beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'kiln-reproduce-'));
  chmodSync(top, 0o755);
  tree = makeSmallTree(join(top, 'tree'), await sharedStore(top));
}, 300_000);

afterAll(() => rmSync(top, { recursive: true, force: true }));

it('is a target of each package: built once, then built again and compared', async () => {
  const { status, output, built } = await nx(tree, 'run', 'alone/alone:reproduce', '--outputStyle=static');
  expect(status, output).toBe(0);
  expect(built.filter((task) => !task.startsWith('toolchain'))).toEqual(['rpm:alone/alone', 'reproduce:alone/alone']);
  const report = JSON.parse(readFileSync(join(tree.root, 'dist/reproduced/alone/alone.json'), 'utf8')) as object;
  expect(report).toMatchObject({ rpms: [expect.stringMatching(/noarch\.rpm$/), expect.stringMatching(/src\.rpm$/)] });
  const second = readdirSync(join(tree.store, 'work')).filter((name) => name.startsWith('second-store-'));
  expect(second).toHaveLength(1);
  const layers = join(tree.store, 'work', second[0]!, 'layers');
  const owners = readdirSync(layers).map((name) => statSync(join(layers, name)).uid);
  expect(owners.length).toBeGreaterThanOrEqual(3);
  if (process.getuid?.() === 0) expect(owners).toContain(NOBODY);
  expect((await nx(tree, 'run', 'alone/alone:reproduce')).built).toEqual([]);
}, 300_000);

it.each([
  ['content', 'od -An -N8 -tx1 /dev/urandom > %{buildroot}%{_datadir}/alone/alone.c', /alone\.c: .*digest "/],
  ['names', 'touch %{buildroot}%{_datadir}/alone/$(od -An -N4 -tx4 /dev/urandom | tr -d " ")', /is only in the first/],
])(
  'names the files whose %s differ, and fails',
  async (_what, command, words) => {
    edit(tree, 'SPECS/alone/alone.spec', (text) => text.replace('\n%files', `\n${command}\n\n%files`));
    const { status, output } = await kiln(tree, 'reproduce', 'alone');
    expect(status).toBe(1);
    expect(output).toMatch(/REPRODUCE_DIFFERS: a second build of alone\/alone gives other RPMs/);
    expect(output).toMatch(words);
    expect(output).not.toContain('headerDigest');
  },
  300_000,
);

it('shows the lines that differ, without what a terminal would obey, and keeps the whole comparison', async () => {
  edit(tree, 'SPECS/alone/alone.spec', (text) =>
    text.replace(
      '\n%files',
      '\nprintf "made \\033[2J in %%s\\n" $(date +%N) > %{buildroot}%{_datadir}/alone/when\n\n%files',
    ),
  );
  const { status, output } = await kiln(tree, 'reproduce', 'alone');
  expect(status).toBe(1);
  expect(output).toMatch(
    /\| --- first\/usr\/share\/alone\/when\n.*\n.*\n +\| -made \?\[2J in \d+\n +\| \+made \?\[2J in \d+\n/,
  );
  expect(output).toMatch(/dist\/logs\/reproduce\/alone\/alone\/alone-1\.0-1\.kl1\.noarch\.rpm\.diff/);
  const report = readFileSync(
    join(tree.root, 'dist/logs/reproduce/alone/alone/alone-1.0-1.kl1.noarch.rpm.diff'),
    'utf8',
  );
  expect(report).toMatch(/^-made .\[2J in \d+$/m);
}, 300_000);
