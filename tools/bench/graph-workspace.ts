/** A workspace of a checkout's specs with our toolkit, for measurements; in a temporary directory. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');
const VENDOR = 'SPECS/azurelinux-rpm-macros';

/** In the workspace: gives Nx the projects of `projects.json` and does nothing else, so that what remains is Nx's own cost. */
export const REPLAY_PLUGIN = 'replay-plugin.cjs';

const REPLAY = `const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const createNodes = ['{toolkit/distro.json,**/*.spec}', (files, options, { workspaceRoot }) => {
  const projects = JSON.parse(readFileSync(join(workspaceRoot, 'projects.json'), 'utf8'));
  return [['toolkit/distro.json', { projects: Object.fromEntries(projects.map((one) => [one.root, one])) }]];
}];
module.exports = { name: 'replay', createNodes, createNodesV2: createNodes };
`;

/** Gives its path. The caller removes it. */
export function makeGraphWorkspace(tree: string, roots: readonly string[]): string {
  const workspace = mkdtempSync(join(tmpdir(), 'kiln-bench-'));
  for (const root of roots) cpSync(join(tree, root), join(workspace, root), { recursive: true });
  mkdirSync(join(workspace, 'toolkit/macros'), { recursive: true });
  mkdirSync(join(workspace, 'imageconfigs'));
  for (const part of ['toolchain', 'sources']) {
    cpSync(join(REPOSITORY, 'toolkit', part), join(workspace, 'toolkit', part), { recursive: true });
  }
  const vendor = readdirSync(join(tree, VENDOR)).filter((name) => /^macros(?:\.|$)/.test(name));
  for (const name of vendor) cpSync(join(tree, VENDOR, name), join(workspace, 'toolkit/macros', name));
  writeFileSync(join(workspace, 'toolkit/distro.json'), JSON.stringify(distroConfig(roots, vendor)));
  writeFileSync(join(workspace, 'package.json'), JSON.stringify({ name: 'bench', private: true }));
  writeFileSync(join(workspace, '.gitignore'), 'node_modules\n.nx\ndist\n');
  writeFileSync(join(workspace, REPLAY_PLUGIN), REPLAY);
  symlinkSync(join(REPOSITORY, 'node_modules'), join(workspace, 'node_modules'));
  return workspace;
}

function distroConfig(roots: readonly string[], vendor: readonly string[]): object {
  const additional = vendor.filter((name) => name !== 'macros').map((name) => `toolkit/macros/${name}`);
  return {
    name: 'bench',
    version: '1',
    architecture: 'x86_64',
    specRoots: roots,
    imageDirectory: 'imageconfigs',
    macros: { main: 'toolkit/macros/macros', additional: additional.sort() },
    defines: { dist: '.azl3', azl: '3', with_check: '0' },
    toolchain: {
      provider: 'debian',
      packages: 'toolkit/toolchain/debian-bookworm.json',
      lock: 'toolkit/toolchain/debian-bookworm.lock.json',
    },
    sources: { debianLock: 'toolkit/sources/debian.lock' },
    provides: 'toolkit/provides',
  };
}

/** The daemon is switched by the environment of each command. */
export function writeNxConfig(workspace: string, plugin: string): void {
  const config = { analytics: false, neverConnectToCloud: true, cacheDirectory: '.nx/cache', tui: { enabled: false } };
  writeFileSync(join(workspace, 'nx.json'), JSON.stringify({ ...config, plugins: [{ plugin }] }));
}
