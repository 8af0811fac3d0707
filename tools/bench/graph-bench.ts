/** Measures `nx show projects` in a workspace made of a checkout's specs: Nx alone, from nothing, again, right after an edit. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Measure {
  readonly name: string;
  /** Median of the runs. */
  readonly seconds: number;
  /** Largest resident memory of the process, in MB. */
  readonly megabytes: number;
}

export interface BenchOptions {
  readonly tree: string;
  readonly roots: readonly string[];
  readonly runs: number;
}

const REPOSITORY = join(import.meta.dirname, '../..');
const VENDOR = 'SPECS/azurelinux-rpm-macros';
const EDITED = 'SPECS/zlib/zlib.spec';

/** The measures, each as often as asked; the daemon is off, as the workspace has it. */
export function benchGraph({ tree, roots, runs }: BenchOptions): Measure[] {
  const workspace = mkdtempSync(join(tmpdir(), 'kiln-bench-'));
  try {
    makeWorkspace(workspace, tree, roots);
    const reset = (): void => rmSync(join(workspace, '.nx'), { recursive: true, force: true });
    const edit = (): void => appendFileSync(join(workspace, EDITED), '# an edit\n');
    const plugin = join(REPOSITORY, 'libs/nx-plugin/plugin.cjs');
    writeNxConfig(workspace, []);
    const floor = measure('Nx without a plugin, from nothing', { workspace, runs, before: reset });
    writeNxConfig(workspace, [plugin]);
    return [
      floor,
      measure('from nothing', { workspace, runs, before: reset }),
      measure('again', { workspace, runs, before: () => undefined }),
      measure('right after an edit', { workspace, runs, before: edit }),
    ];
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

function makeWorkspace(workspace: string, tree: string, roots: readonly string[]): void {
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
  symlinkSync(join(REPOSITORY, 'node_modules'), join(workspace, 'node_modules'));
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

function writeNxConfig(workspace: string, plugins: readonly string[]): void {
  const config = { analytics: false, neverConnectToCloud: true, cacheDirectory: '.nx/cache', useDaemonProcess: false };
  writeFileSync(
    join(workspace, 'nx.json'),
    JSON.stringify({ ...config, tui: { enabled: false }, plugins: plugins.map((plugin) => ({ plugin })) }),
  );
}

interface Runs {
  readonly workspace: string;
  readonly runs: number;
  readonly before: () => void;
}

function measure(name: string, { workspace, runs, before }: Runs): Measure {
  const made = Array.from({ length: runs }, () => {
    before();
    return runOnce(workspace);
  });
  const seconds = made.map((one) => one.seconds).sort((a, b) => a - b);
  return { name, seconds: seconds[Math.floor(runs / 2)]!, megabytes: Math.max(...made.map((one) => one.megabytes)) };
}

/** GNU time tells the memory of Nx and its workers: of the largest process. */
function runOnce(workspace: string): { readonly seconds: number; readonly megabytes: number } {
  const nx = join(REPOSITORY, 'node_modules/nx/dist/bin/nx.js');
  const { stderr, status } = spawnSync(
    '/usr/bin/time',
    ['-f', '\ntimed %e %M', process.execPath, nx, 'show', 'projects'],
    { cwd: workspace, encoding: 'utf8', env: { ...process.env, NX_DAEMON: 'false' }, maxBuffer: 2 ** 28 },
  );
  const timed = /timed ([\d.]+) (\d+)\s*$/.exec(stderr ?? '');
  if (status !== 0 || timed === null) throw new Error(`nx show projects failed: ${(stderr ?? '').slice(0, 2000)}`);
  return { seconds: Number(timed[1]), megabytes: Math.round(Number(timed[2]) / 1024) };
}
