import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkVariants, evaluateForCheck } from '../src/check-variants.ts';
import type { DistroConfig } from '../src/distro-config.ts';
import { evaluateTree, type TreeToEvaluate } from '../src/evaluate-tree.ts';
import { macroEnvironment } from '../src/macro-files.ts';

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'kiln-check-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

function spec(name: string, lines: string): void {
  mkdirSync(join(root, 'SPECS', name), { recursive: true });
  const tags = `Name: ${name}\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\n`;
  writeFileSync(join(root, 'SPECS', name, `${name}.spec`), `${tags}${lines}\n%description\nx\n%files\n`);
}

function tree(own: Partial<DistroConfig> = {}): TreeToEvaluate {
  const config = { specRoots: ['SPECS'], architecture: 'x86_64', defines: { with_check: '0' }, ...own } as DistroConfig;
  const cacheFile = join(root, '.nx/cache/kiln-evaluations');
  return { root, config, macroFiles: [], environment: macroEnvironment(config, []), answers: new Map(), cacheFile };
}

/** Names of the specs that were evaluated again, and what the checks of all ask for. */
async function checksOf(given: TreeToEvaluate) {
  const evaluated = await evaluateTree({
    ...given,
    watched: Object.keys(given.config.checkDefines ?? { with_check: '' }),
  });
  const again = await evaluateForCheck(given, evaluated);
  const variants = await checkVariants(given, evaluated.packages, again);
  return {
    again: [...again.keys()].map((file) => file.split('/')[1]),
    asked: [...variants].map(([id, { sourcePackage, defines }]) => [
      id,
      sourcePackage?.buildRequires.map(({ name }) => name).join(' '),
      defines?.['with_check'],
    ]),
  };
}

test('exactly the specs that ask for the macro are evaluated again, the first time and from the cache', async () => {
  spec('plain', 'BuildRequires: a');
  spec('tested', 'BuildRequires: a\n%if 0%{?with_check}\nBuildRequires: b\n%endif');
  spec('own', '%global with_check 1\n%if 0%{?with_check}\nBuildRequires: c\n%endif');
  const expected = {
    again: expect.arrayContaining(['tested']) as string[],
    asked: [
      ['own/own', 'c', '1'],
      ['plain/plain', 'a', '1'],
      ['tested/tested', 'a b', '1'],
    ],
  };
  const [first, second] = [await checksOf(tree()), await checksOf(tree())];
  expect(first).toEqual(expected);
  expect(second).toEqual(first);
  expect(first.again).not.toContain('plain');
});

test('a distribution may switch checks on by other macros', async () => {
  spec('tested', '%bcond tests 0\n%if %{with tests}\nBuildRequires: b\n%endif');
  const { asked } = await checksOf(tree({ checkDefines: { _with_tests: '1' } }));
  expect(asked).toEqual([['tested/tested', 'b', '0']]);
});

test('a check that cannot be evaluated is one with an error, the build is none', async () => {
  spec('broken', '%if 0%{?with_check}\nBuildRequires: >= 1\n%endif');
  const given = tree();
  const evaluated = await evaluateTree({ ...given, watched: ['with_check'] });
  expect(evaluated.packages[0]!.diagnostics).toEqual([]);
  const variants = await checkVariants(given, evaluated.packages, await evaluateForCheck(given, evaluated));
  expect(variants.get('broken/broken')!.diagnostics).toMatchObject([{ severity: 'error' }]);
});
