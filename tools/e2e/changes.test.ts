/** What a build tells of capabilities that came and went since the package's last build. */
import { expect, test } from 'vitest';
import { kiln } from './run-kiln.ts';
import { edit, restore } from './small-tree.ts';
import { useSmallTree } from './use-small-tree.ts';

const MINUTES = 60_000;
const tree = useSmallTree();

interface Changes {
  readonly before?: string;
  readonly vanished: readonly { readonly capability: string; readonly kind: string }[];
  readonly appeared: readonly { readonly capability: string }[];
  readonly unmet: readonly { readonly id: string; readonly requirement: string }[];
}

/** The JSON is what stands between the first bracket at the beginning of a line and the last one. */
async function changesOf(name: string): Promise<Changes> {
  const { output } = await kiln(tree, 'changes', name, '--json');
  return (JSON.parse(output.slice(output.search(/^\[/m), output.lastIndexOf(']') + 1)) as Changes[])[0]!;
}

test(
  'another soname: told by the build, with who asks for the old one; and back again',
  { timeout: 15 * MINUTES },
  async () => {
    const first = await kiln(tree, 'rpm', 'three', '--no-frozen');
    expect(first.status, first.output).toBe(0);
    expect(first.output).not.toContain('CAPABILITIES');
    expect((await changesOf('one')).before).toBeUndefined();

    edit(tree, 'SPECS/one/one.spec', (text) => text.replaceAll('libone.so.1', 'libone.so.2'));
    const second = await kiln(tree, 'rpm', 'one', '--frozen');
    expect(second.output).toMatch(
      /CAPABILITIES_MISSED.*one\/one: .*(three\/three|two\/two).* ask for what it no longer provides/,
    );
    const changes = await changesOf('one');
    expect(changes.vanished).toContainEqual({ package: 'one', kind: 'soname', capability: 'libone.so.1()(64bit)' });
    expect(changes.appeared).toContainEqual({ package: 'one', kind: 'soname', capability: 'libone.so.2()(64bit)' });
    expect(changes.unmet.map(({ id, requirement }) => `${id} ${requirement}`)).toEqual([
      'three/three libone.so.1()(64bit)',
      'two/two libone.so.1()(64bit)',
    ]);

    restore(tree);
    const back = await changesOf('one');
    expect(back.vanished).toContainEqual({ package: 'one', kind: 'soname', capability: 'libone.so.2()(64bit)' });
    expect(back.unmet).toEqual([]);
  },
);
