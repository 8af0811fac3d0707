import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseEvr } from '@kiln/rpm-package';
import { afterEach, expect, test } from 'vitest';
import type { DistroConfig } from '../src/distro-config.ts';
import type { Distribution } from '../src/distribution.ts';
import { readImages } from '../src/image-project.ts';
import { systemsOf } from '../src/image-target.ts';
import { planPackages } from '../src/plan.ts';
import { createUniverse, TOOLCHAIN_ORIGIN } from '../src/universe.ts';
import { treeOf } from './tree-text.ts';

const roots: string[] = [];
afterEach(() => roots.splice(0).forEach((root) => rmSync(root, { recursive: true })));

const evr = parseEvr('1-1');
const toolchain = { origin: TOOLCHAIN_ORIGIN, name: 'tools', evr, arch: 'x86_64', provides: [], requires: [] };

/** The images of a tree whose packages have what media need. */
function images(files: Readonly<Record<string, object>>) {
  const root = mkdtempSync(join(tmpdir(), 'kiln-images-'));
  roots.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), JSON.stringify(content));
  }
  const packages = treeOf('S: bash\nS: kernel\nS: grub2-pc\nS: grub2-efi');
  const universe = createUniverse(packages, toolchain);
  const config = { imageDirectory: 'images', toolchain: { provider: 'debian' } } as DistroConfig;
  return readImages({ root, config, universe, packages: planPackages(packages, universe) });
}

const server = {
  Disks: [{ Artifacts: [{ Type: 'tar.zst' }] }],
  SystemConfigs: [{ Name: 'Server', Packages: ['bash'], KernelOptions: { default: 'kernel' } }],
};
const medium = (system: string) => ({
  Disks: [{ Artifacts: [{ Type: 'iso' }] }],
  SystemConfigs: [
    { Name: 'Medium', Packages: ['bash'], KernelOptions: { default: 'kernel' }, Installer: { Systems: [system] } },
  ],
});

test('an installer comes after the images that it installs', () => {
  const found = images({ 'images/medium.json': medium('server.json'), 'images/server.json': server });
  expect(found.map(({ name, diagnostics }) => [name, diagnostics])).toEqual([
    ['medium', []],
    ['server', []],
  ]);
  expect(found[0]!.inputs).toContain('images/server.json');
  const distribution = { images: found, findImage: (name: string) => found.find((one) => one.name === name) };
  expect(systemsOf(distribution as unknown as Distribution, 'medium')).toEqual(['server']);
});

test('a system of an installer that is no image is an error of the installer alone', () => {
  const found = images({
    'images/medium.json': medium('parts/server.json'),
    'images/parts/server.json': server,
    'images/server.json': server,
  });
  expect(found.map(({ diagnostics }) => diagnostics)).toMatchObject([
    [{ message: "'images/parts/server.json' is not in the directory of 'images/medium.json'" }],
    [],
  ]);
});

test('the systems of a definition without artifacts are images of their own', () => {
  const system = (Name: string) => ({ Name, Packages: ['bash'], KernelOptions: { default: 'kernel' } });
  const found = images({ 'images/full.json': { SystemConfigs: [system('The Core'), system('Full')] } });
  expect(found.map(({ name, file }) => [name, file])).toEqual([
    ['full', 'images/full.json'],
    ['full-the-core', 'images/full.json'],
    ['full-full', 'images/full.json'],
  ]);
  // The tree has no installer, which the medium needs; its systems can be made.
  expect(found[0]!.diagnostics.map(({ message }) => message)).toContain(
    "no package of the tree provides 'kiln-installer'",
  );
  expect(found.slice(1).map(({ diagnostics }) => diagnostics)).toEqual([[], []]);
  const distribution = { images: found, findImage: (name: string) => found.find((one) => one.name === name) };
  expect(systemsOf(distribution as unknown as Distribution, 'full')).toEqual(['full-the-core', 'full-full']);
});
