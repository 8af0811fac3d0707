/** What is built again and what is not: counted in the event log, with real builds of small packages. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, chmodSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kiln, nx, type Ran } from './run-kiln.ts';
import { commit, edit, makeSmallTree, sign, type SmallTree } from './small-tree.ts';
import { emptyStore, sharedStore } from './test-store.ts';

let directory: string;
let tree: SmallTree;

/** A sub-package that nobody needs. */
const DOC_PACKAGE = `%package        doc
Summary:        Documentation of one

%description    doc
Words.

`;
const DOC_FILES = `
%files doc
%license LICENSE
%{_docdir}/one/

%changelog`;

const ALL = ['rpm:alone/alone', 'rpm:one/one', 'rpm:three/three', 'rpm:two/two'];
const rpms = ({ built }: Ran) => built.filter((task) => task.startsWith('rpm:')).sort();
const runAll = () => nx(tree, 'run-many', '-t', 'rpm', 'image');

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-e2e-'));
  chmodSync(directory, 0o755);
  tree = makeSmallTree(join(directory, 'tree'), await sharedStore(directory));
}, 1_800_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.sequential('a tree over its life', { timeout: 900_000 }, () => {
  test('everything is built once', async () => {
    const first = await runAll();
    expect(first.status, first.output).toBe(0);
    expect(rpms(first)).toEqual(ALL);
    expect(first.built).toContain('image:tiny');

    const second = await runAll();
    expect(second.status, second.output).toBe(0);
    expect(second.built).toEqual([]);
  });

  test("an edit of Nx's and npm's files builds nothing", async () => {
    edit(tree, 'nx.json', (text) => text.replace('"parallel": 2', '"parallel": 3'));
    edit(tree, 'package.json', (text) => text.replace('1.0.0', '1.0.1'));
    writeFileSync(
      join(tree.root, 'package-lock.json'),
      '{ "name": "small-tree", "lockfileVersion": 3, "packages": {} }\n',
    );
    writeFileSync(join(tree.root, 'tsconfig.base.json'), '{ "compilerOptions": {} }\n');
    mkdirSync(join(tree.root, 'libs/x'), { recursive: true });
    writeFileSync(join(tree.root, 'libs/x/README.md'), 'A library\n');
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(ran.built).toEqual([]);
    commit(tree, 'Configuration');
  });

  test('a comment builds its package and not the image', async () => {
    edit(tree, 'SPECS/alone/alone.spec', (text) => `# A comment\n${text}`);
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(ran.built).toEqual(['rpm:alone/alone']);
    commit(tree, 'Comment');
  });

  test('a Release bump builds its package and the image', async () => {
    edit(tree, 'SPECS/alone/alone.spec', (text) => text.replace('Release:        1%', 'Release:        2%'));
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect([...ran.built].sort()).toEqual(['image:tiny', 'rpm:alone/alone']);
    commit(tree, 'Release');
  });

  test('an edit of a file beside the definition makes the image again', async () => {
    edit(tree, 'imageconfigs/tiny.json', (text) =>
      text.replace('"Name": "Tiny",', '"Name": "Tiny", "AdditionalFiles": { "motd": "/etc/motd" },'),
    );
    writeFileSync(join(tree.root, 'imageconfigs/motd'), 'Welcome\n');
    expect((await runAll()).built).toEqual(['image:tiny']);
    writeFileSync(join(tree.root, 'imageconfigs/motd'), 'Hello\n');
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(ran.built).toEqual(['image:tiny']);
    commit(tree, 'A file of the image');
  });

  test('a Release bump of a library builds nobody else', async () => {
    edit(tree, 'SPECS/one/one.spec', (text) => text.replace('Release:        1%', 'Release:        2%'));
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(ran.built).toEqual(['rpm:one/one']);
    commit(tree, 'Release of one');
  });

  test('a change of code builds exactly those that use it, and was foreseen', async () => {
    edit(tree, 'SPECS/one/one.c', (text) => text.replace('return 1', 'return 10'));
    sign(tree, 'one');
    commit(tree, 'Code of one');
    const foreseen = await kiln(tree, 'affected', '--base', 'HEAD~1', '--json');
    expect(foreseen.status, foreseen.output).toBe(0);
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(rpms(ran)).toEqual(['rpm:one/one', 'rpm:three/three', 'rpm:two/two']);
    for (const task of ran.built) expect(foreseen.output).toContain(task);
    expect(foreseen.output).not.toContain('rpm:alone/alone');
  });

  test('a change of documentation builds nobody else', async () => {
    edit(tree, 'SPECS/one/one.spec', (text) =>
      text
        .replace('%prep\n', `${DOC_PACKAGE}%prep\n`)
        .replace('\n%changelog', DOC_FILES)
        .replace(
          '%install\n',
          "%install\nmkdir -p %{buildroot}%{_docdir}/one\necho 'First words' > %{buildroot}%{_docdir}/one/README\n",
        ),
    );
    const added = await runAll();
    expect(added.status, added.output).toBe(0);
    expect(added.built).toEqual(['rpm:one/one']);
    edit(tree, 'SPECS/one/one.spec', (text) => text.replace('First words', 'Other words'));
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(ran.built).toEqual(['rpm:one/one']);
    const shown = readdirSync(join(tree.root, 'dist/rpms/x86_64'));
    expect(shown.some((name) => name.startsWith('one-doc-'))).toBe(true);
    commit(tree, 'Documentation of one');
  });

  test('a change of what a -devel package needs at run time builds those that use it', async () => {
    edit(tree, 'SPECS/one/one.spec', (text) =>
      text.replace('Requires:       %{name}%{?_isa}', 'Requires:       alone\nRequires:       %{name}%{?_isa}'),
    );
    const required = await runAll();
    expect(required.status, required.output).toBe(0);
    expect(rpms(required)).toEqual(['rpm:one/one', 'rpm:three/three', 'rpm:two/two']);
    commit(tree, 'one-devel needs alone');

    edit(tree, 'SPECS/alone/alone.c', () => 'int not_alone;\n');
    sign(tree, 'alone');
    const foreseen = await kiln(tree, 'affected', '--base', 'HEAD', '--json');
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(rpms(ran)).toEqual(['rpm:alone/alone', 'rpm:three/three', 'rpm:two/two']);
    for (const task of ran.built) expect(foreseen.output).toContain(`"${task}"`);
    expect(foreseen.output).not.toContain('"rpm:one/one"');
    commit(tree, 'Other data');
  });

  test("with Nx's cache emptied nothing is built", async () => {
    rmSync(join(tree.root, '.nx'), { recursive: true });
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(ran.built).toEqual([]);
  });

  test('with dist/ removed everything is shown again and nothing is built', async () => {
    const before = readFileSync(join(tree.root, 'dist/rpms/x86_64/alone-1.0-2.kl1.noarch.rpm'));
    rmSync(join(tree.root, 'dist/rpms'), { recursive: true });
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(ran.built).toEqual([]);
    expect(readFileSync(join(tree.root, 'dist/rpms/x86_64/alone-1.0-2.kl1.noarch.rpm')).equals(before)).toBe(true);
  });

  test("with the store's results emptied and Nx's cache kept everything is built again, with the same bytes", async () => {
    await runAll();
    const before = readFileSync(join(tree.root, 'dist/rpms/x86_64/three-1.0-1.kl1.x86_64.rpm'));
    emptyStore(tree.store);
    const ran = await runAll();
    expect(ran.status, ran.output).toBe(0);
    expect(rpms(ran)).toEqual(ALL);
    expect(readFileSync(join(tree.root, 'dist/rpms/x86_64/three-1.0-1.kl1.x86_64.rpm')).equals(before)).toBe(true);
  });

  test('two clones at once build each package once', async () => {
    emptyStore(tree.store);
    const clone = { root: join(directory, 'clone'), store: tree.store };
    makeSmallTree(clone.root, clone.store);
    const other = { root: join(directory, 'other'), store: tree.store };
    makeSmallTree(other.root, other.store);
    const both = await Promise.all([nx(clone, 'run-many', '-t', 'rpm'), nx(other, 'run-many', '-t', 'rpm')]);
    for (const { status, output } of both) expect(status, output).toBe(0);
    expect(both.flatMap(rpms).sort()).toEqual(ALL);
  });
});
