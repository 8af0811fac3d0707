import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadDistribution } from '@kiln/distribution';
import { toolchainFiles } from '@kiln/toolchain';
import { writeDebianFull } from '../debian-full/write-debian-full.ts';
import { BUILD_ROOT_MANIFEST, layOutWorkspace } from '../lay-out-workspace.ts';

const SPEC = `Name: one
Version: 1
Release: 1%{dist}
Summary: One
License: MIT
%description
One.
%files
`;

let top: string;

beforeEach(() => (top = mkdtempSync(join(tmpdir(), 'kiln-lay-out-'))));
afterEach(() => rmSync(top, { recursive: true, force: true }));

test('the specs of a checkout are a workspace, with everything that its configuration names', async () => {
  const tree = join(top, 'checkout');
  mkdirSync(join(tree, 'SPECS/azurelinux-rpm-macros'), { recursive: true });
  mkdirSync(join(tree, 'SPECS-EXTENDED/one'), { recursive: true });
  writeFileSync(join(tree, 'SPECS/azurelinux-rpm-macros/macros'), '%dist .azl3\n');
  writeFileSync(join(tree, 'SPECS-EXTENDED/one/one.spec'), SPEC);
  const root = join(top, 'workspace');
  layOutWorkspace(root, { tree, roots: ['SPECS', 'SPECS-EXTENDED'] });

  const { config, packages } = await loadDistribution(root);
  expect(packages.map(({ id, diagnostics }) => ({ id, diagnostics }))).toEqual([{ id: 'one/one', diagnostics: [] }]);
  expect(packages[0]!.sourcePackage!.evr.release).toBe('1.azl3');
  for (const path of [...toolchainFiles(config.toolchain), config.sources.debianLock])
    expect(existsSync(join(root, path)), path).toBe(true);
});

test('what the distribution has in each build root is in each root on Debian’s packages', () => {
  const tree = join(top, 'checkout');
  for (const one of ['SPECS/azurelinux-rpm-macros', 'SPECS/pyproject-rpm-macros', dirname(BUILD_ROOT_MANIFEST)])
    mkdirSync(join(tree, one), { recursive: true });
  writeFileSync(join(tree, BUILD_ROOT_MANIFEST), 'zlib-1.3-1.azl3.x86_64.rpm\nzlib-devel-1.3-1.azl3.x86_64.rpm\n');
  const root = join(top, 'workspace');
  layOutWorkspace(root, { tree, roots: ['SPECS'] });
  mkdirSync(join(root, 'toolkit/macros'), { recursive: true });
  writeDebianFull(root);
  const { inEveryRoot } = JSON.parse(readFileSync(join(root, 'toolkit/toolchain/debian-full.json'), 'utf8')) as {
    inEveryRoot: string[];
  };
  expect(inEveryRoot).toEqual(['zlib-devel']);
});
