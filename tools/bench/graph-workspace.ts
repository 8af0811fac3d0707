/** A workspace of a checkout's specs with our toolkit, for measurements; in a temporary directory. */
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setUpWorkspace } from '../azurelinux/set-up-workspace.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

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

/** Gives its path; all specs can be read. The caller removes it. */
export async function makeGraphWorkspace(tree: string, roots: readonly string[]): Promise<string> {
  const workspace = mkdtempSync(join(tmpdir(), 'kiln-bench-'));
  for (const root of roots) cpSync(join(tree, root), join(workspace, root), { recursive: true });
  mkdirSync(join(workspace, 'imageconfigs'));
  for (const part of ['toolchain', 'sources']) {
    cpSync(join(REPOSITORY, 'toolkit', part), join(workspace, 'toolkit', part), { recursive: true });
  }
  writeFileSync(join(workspace, 'toolkit/distro.json'), JSON.stringify(distroConfig(roots)));
  writeFileSync(join(workspace, 'package.json'), JSON.stringify({ name: 'bench', private: true }));
  writeFileSync(join(workspace, '.gitignore'), 'node_modules\n.nx\ndist\n');
  writeFileSync(join(workspace, REPLAY_PLUGIN), REPLAY);
  symlinkSync(join(REPOSITORY, 'node_modules'), join(workspace, 'node_modules'));
  await setUpWorkspace(workspace);
  return workspace;
}

function distroConfig(roots: readonly string[]): object {
  return {
    name: 'bench',
    version: '1',
    architecture: 'x86_64',
    specRoots: roots,
    imageDirectory: 'imageconfigs',
    macros: { main: 'SPECS/azurelinux-rpm-macros/macros', additional: [] },
    defines: {},
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
