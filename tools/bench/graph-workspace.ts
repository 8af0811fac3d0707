/** A workspace of a checkout's specs with our toolkit, for measurements; in a temporary directory. */
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOutWorkspace, REPOSITORY } from '../azurelinux/lay-out-workspace.ts';
import { setUpWorkspace } from '../azurelinux/set-up-workspace.ts';

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
  layOutWorkspace(workspace, { tree, roots });
  writeFileSync(join(workspace, 'package.json'), JSON.stringify({ name: 'bench', private: true }));
  writeFileSync(join(workspace, '.gitignore'), 'node_modules\n.nx\ndist\n');
  writeFileSync(join(workspace, REPLAY_PLUGIN), REPLAY);
  symlinkSync(join(REPOSITORY, 'node_modules'), join(workspace, 'node_modules'));
  await setUpWorkspace(workspace);
  return workspace;
}

/** The daemon is switched by the environment of each command. */
export function writeNxConfig(workspace: string, plugin: string): void {
  const config = { analytics: false, neverConnectToCloud: true, cacheDirectory: '.nx/cache', tui: { enabled: false } };
  writeFileSync(join(workspace, 'nx.json'), JSON.stringify({ ...config, plugins: [{ plugin }] }));
}
