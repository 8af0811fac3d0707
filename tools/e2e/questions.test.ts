/** Questions about a tree and its history, which need no build. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { kiln, nx } from './run-kiln.ts';
import { edit, makeSmallTree, restore, type SmallTree } from './small-tree.ts';

let directory: string;
let tree: SmallTree;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-questions-'));
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'store'));
  tree = makeSmallTree(join(directory, 'tree'), join(directory, 'store'));
});
afterEach(() => restore(tree));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Standard output of a command that ends well; what it says beside that is left out. */
async function answer(...argv: string[]): Promise<string> {
  const { status, output } = await kiln(tree, ...argv);
  expect(status, output).toBe(0);
  return output;
}

describe('after an edit of a library', { timeout: 120_000 }, () => {
  test('affected: a graph from what was edited to all that may rebuild', async () => {
    edit(tree, 'SPECS/two/two.spec', (text) => `# A comment\n${text}`);
    const graph = await answer('affected', '--base', 'HEAD', '--dot');
    expect(graph).toMatch(/^digraph affected \{\n/);
    expect(graph).toContain('"SPECS/two/two.spec" [shape="box"];');
    expect(graph).toContain('"SPECS/two/two.spec" -> "rpm:two/two";');
    expect(graph).toContain('"rpm:two/two" -> "rpm:three/three";');
    expect(graph).not.toContain('"rpm:one/one" [');
    expect(isGraph(graph)).toBe(true);
  });

  test('explain --against: the parts of the plan key that differ, none when nothing does', async () => {
    expect(await answer('explain', 'three', '--against', 'HEAD')).toContain('the plan key is that of HEAD');
    edit(tree, 'SPECS/two/two.spec', (text) => `# A comment\n${text}`);
    const { differs } = JSON.parse(await answer('explain', 'three', '--against', 'HEAD', '--json')) as {
      differs: string[];
    };
    expect(differs).toEqual(['rpm:two/two']);
    expect(await answer('explain', 'two', '--against', 'HEAD')).toContain('  SPECS/two/two.spec');
  });

  test('blockers: a graph from the broken package to all that it blocks', async () => {
    edit(tree, 'SPECS/one/one.spec', (text) => text.replace('glibc-devel', 'glibc-devle'));
    const graph = await answer('blockers', '--dot');
    expect(graph).toContain('"one/one" [color="red", xlabel="DEPENDENCY_UNRESOLVED"];');
    expect(graph).toContain('"one/one" -> "two/two";');
    expect(graph).toContain('"two/two" -> "three/three";');
    expect(graph).not.toContain('alone');
  });
});

describe('a further architecture', { timeout: 240_000 }, () => {
  const NEEDS = 'BuildRequires:  one-devel\n';

  test('is planned as its specs say, and is a configuration of every target', async () => {
    edit(tree, 'toolkit/distro.json', (text) =>
      text.replace('"x86_64",', '"x86_64",\n  "architectures": ["aarch64"],'),
    );
    edit(tree, 'SPECS/three/three.spec', (text) =>
      text.replace(NEEDS, `%ifarch x86_64\n${NEEDS}%endif\n`).replace('BuildRequires:  two-devel\n', ''),
    );
    expect(await answer('dependents', 'one', '--json')).toContain('three/three');
    expect(await answer('--arch', 'aarch64', 'dependents', 'one', '--json')).not.toContain('three/three');

    const { output } = await nx(tree, 'show', 'project', 'three/three', '--json');
    const { targets } = JSON.parse(output) as { targets: Record<string, Target> };
    for (const target of Object.values(targets)) {
      expect(target.options.architecture).toBe('x86_64');
      expect(target.configurations).toEqual({ aarch64: { architecture: 'aarch64' } });
      expect(target.outputs[0]).toContain('{options.architecture}');
    }
  });

  test('says that the toolchain has no programs for it', async () => {
    edit(tree, 'toolkit/distro.json', (text) =>
      text.replace('"x86_64",', '"x86_64",\n  "architectures": ["aarch64"],'),
    );
    const { status, output } = await nx(tree, 'run', 'alone/alone:rpm:aarch64');
    expect(status).not.toBe(0);
    expect(output).toMatch(/error TOOLCHAIN_ARCHITECTURE: .*aarch64/);
  });

  test('is refused when the distribution does not name it', async () => {
    const { status, output } = await kiln(tree, '--arch', 'aarch64', 'plan');
    expect(status).toBe(1);
    expect(output).toMatch(/^toolkit\/distro\.json:1: error ARCHITECTURE_UNKNOWN: /);
  });
});

interface Target {
  readonly options: { readonly architecture?: string };
  readonly configurations: object;
  readonly outputs: readonly string[];
}

/** What a reader of the language would refuse first: unbalanced quotes and braces. */
function isGraph(output: string): boolean {
  const text = output.slice(output.indexOf('digraph'), output.lastIndexOf('}') + 1);
  const strings = /"(?:[^"\\]|\\.)*"/g;
  const rest = text.replace(strings, 'x');
  return /^digraph \w+ \{\n(?: {2}x(?: -> x)?(?: \[\w+=x(?:, \w+=x)*\])?;\n)*\}$/.test(rest);
}
