/** Makes a tree of specs a workspace: adds what is missing, changes nothing that is there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { logger, readJson, type NxJsonConfiguration, type Tree } from '@nx/devkit';
import { BuildError } from '@kiln/diagnostics';
import { DISTRO_FILE, type DistroConfig } from '@kiln/distribution';
import { parseTargetNames, type TargetNames } from '../../target-names.ts';
import { findSpecRoots, macroFilesOf } from './spec-roots.ts';

export interface InitOptions {
  /** Name and version: Nx would read a version alone as a number. */
  readonly name?: string;
  readonly architecture?: string;
  readonly specRoots?: string[];
  readonly macros?: string;
  /** `name=body`. */
  readonly define?: string[];
  readonly imageDirectory?: string;
  /** `name=other`. */
  readonly target?: string[];
}

const PLUGIN = '@kiln/nx';
const EMPTY_MACROS = 'toolkit/macros/macros';
/** What a run leaves in the tree. */
const IGNORED = ['node_modules/', 'dist/', '.nx/'];
/** Settings of Nx that Kiln's own workspace has, with the reasons in its documentation; a workspace's own ones win. */
const NX_SETTINGS: NxJsonConfiguration = {
  analytics: false,
  neverConnectToCloud: true,
  cacheDirectory: '.nx/cache',
  useDaemonProcess: false,
};

/**
 * Can be run again: files that exist are left, of nx.json and .gitignore only what they lack is added.
 * @throws BuildError `SPEC_ROOTS_MISSING`, `INIT_OPTION_INVALID`
 */
export function init(tree: Tree, options: InitOptions): void {
  const { imageDirectory = 'imageconfigs' } = options;
  const targetNames = parseTargetNames(assignments(options.target ?? [], 'target'));
  const config = distroConfig(tree, options);
  addFile(tree, DISTRO_FILE, json(config));
  for (const [path, text] of toolkitFiles()) addFile(tree, path, text);
  if (config.macros.main === EMPTY_MACROS) addFile(tree, EMPTY_MACROS, '# Macros of the distribution.\n');
  addFile(tree, `${imageDirectory}/.gitkeep`, '');
  addFile(tree, 'package.json', json({ name: config.name, private: true, devDependencies: {} }));
  addToNxJson(tree, targetNames);
  addToGitignore(tree);
}

function distroConfig(tree: Tree, options: InitOptions): DistroConfig {
  const { architecture = 'x86_64' } = options;
  const [name = 'distribution', version = '1.0'] = options.name?.split(' ') ?? [];
  const macros = options.macros === undefined ? undefined : macroFilesOf(tree, options.macros);
  return {
    name,
    version,
    architecture,
    specRoots: findSpecRoots(tree, options.specRoots ?? []),
    imageDirectory: options.imageDirectory ?? 'imageconfigs',
    macros: macros ?? { main: EMPTY_MACROS, additional: [] },
    defines: assignments(options.define ?? [], 'define'),
    toolchain: {
      provider: 'debian',
      packages: 'toolkit/toolchain/debian-bookworm.json',
      lock: 'toolkit/toolchain/debian-bookworm.lock.json',
    },
    sources: { debianLock: 'toolkit/sources/debian.lock' },
    provides: 'toolkit/provides',
    macroAnswers: 'toolkit/macro-answers.json',
  };
}

function assignments(texts: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new BuildError('INIT_OPTION_INVALID', `--${option} '${text}' is no assignment`, {
        hint: `write --${option} name=value`,
      });
    }),
  );
}

/** The toolchain's packages and their lock, as this version of Kiln is tested with; no source is locked yet. */
function toolkitFiles(): [string, string][] {
  // In the package they lie beside `dist`; in the repository they are the workspace's own.
  const places = ['../../../toolkit/toolchain', '../../../../../toolkit/toolchain'].map((place) =>
    join(import.meta.dirname, place),
  );
  const directory = places.find((place) => namesIn(place).length > 0);
  if (directory === undefined) throw new BuildError('TOOLKIT_MISSING', `${PLUGIN} has no files of the toolchain`);
  return [
    ...namesIn(directory).map((name): [string, string] => [
      `toolkit/toolchain/${name}`,
      readFileSync(join(directory, name), 'utf8'),
    ]),
    ['toolkit/sources/debian.lock', ''],
  ];
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

function addFile(tree: Tree, path: string, text: string): void {
  if (tree.exists(path)) logger.info(`${path} is there already and stays as it is`);
  else tree.write(path, text);
}

function addToNxJson(tree: Tree, targetNames: TargetNames): void {
  const before = tree.exists('nx.json') ? readJson<NxJsonConfiguration>(tree, 'nx.json') : {};
  const plugins = before.plugins ?? [];
  const isThere = plugins.some((one) => (typeof one === 'string' ? one : one.plugin) === PLUGIN);
  const options = Object.keys(targetNames).length === 0 ? {} : { options: { targetNames } };
  const isComplete = Object.keys(NX_SETTINGS).every((setting) => setting in before);
  if (isThere && isComplete) return;
  const after = {
    ...NX_SETTINGS,
    ...before,
    plugins: isThere ? plugins : [...plugins, { plugin: PLUGIN, ...options }],
  };
  tree.write('nx.json', json(after));
}

function addToGitignore(tree: Tree): void {
  const before = tree.exists('.gitignore') ? tree.read('.gitignore', 'utf8')! : '';
  const lines = new Set(before.split('\n').map((line) => line.trim().replace(/^\/|\/$/g, '')));
  const missing = IGNORED.filter((entry) => !lines.has(entry.replace(/\/$/, '')));
  if (missing.length === 0) return;
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  tree.write('.gitignore', `${before}${gap}${missing.join('\n')}\n`);
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
