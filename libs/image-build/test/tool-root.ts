/** A toolchain and packages for tests, made of programs of this machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { digestOf } from '@kiln/build-identity';
import type { Host } from '@kiln/host';
import { formatNevra } from '@kiln/rpm-package';
import { readRpmHeader } from '@kiln/rpm-repository';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import { digestFile, Store } from '@kiln/store';
import { sharedFiles, type ImagePorts, type ImageRpm } from '../src/index.ts';

const PROGRAMS =
  'bash cat chmod chown cp cpio dd find grep gzip ln mkdir rm rmdir rpm rpm2cpio sha256sum sleep tar touch xargs'.split(
    ' ',
  );
const made: string[] = [];

export function hasRpmbuild(): boolean {
  return spawnSync('rpmbuild', ['--version']).status === 0;
}

/** A directory that everybody can read; `removeTemporaryDirectories` removes it. */
export function temporaryDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `kiln-test-${name}-`));
  chmodSync(directory, 0o755);
  made.push(directory);
  return directory;
}

export function removeTemporaryDirectories(): void {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
}

/** The libraries of a program, where the dynamic linker finds them. */
export function librariesOf(program: string): string[] {
  return [...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/\/\S+/g)].map(([path]) => path);
}

export function machineProgram(name: string): string {
  return realpathSync(execFileSync('which', [name], { encoding: 'utf8' }).trim());
}

/** The programs that the image stage uses, with their libraries and rpm's configuration. */
export function makeToolRoot(): string {
  const root = temporaryDirectory('tools');
  for (const directory of ['usr/bin', 'usr/lib', 'usr/lib64', 'etc'])
    mkdirSync(join(root, directory), { recursive: true });
  for (const link of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(root, link));
  for (const name of PROGRAMS) {
    const program = machineProgram(name);
    cpSync(program, join(root, 'usr/bin', name));
    for (const library of librariesOf(program)) {
      const copy = join(root, library.replace(/^\/(usr\/)?/, 'usr/'));
      if (existsSync(copy)) continue;
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(realpathSync(library), copy);
    }
  }
  mkdirSync(join(root, 'usr/lib/rpm'));
  for (const file of ['macros', 'rpmrc']) cpSync(join('/usr/lib/rpm', file), join(root, 'usr/lib/rpm', file));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/bash\n');
  return root;
}

/** The real sandbox over the toolchain. @param place of work directories, if not in a store of their own */
export function makePorts(host: Host, toolRoot: string, place?: string): ImagePorts {
  const store = new Store(host, temporaryDirectory('store'));
  return {
    run: ({ layers, ...request }) => runSandboxed(host, { layers: layers ?? [toolRoot], identity: 'root', ...request }),
    imageTools: () => Promise.resolve(toolRoot),
    bootTools: () => Promise.resolve(toolRoot),
    shared: (step) => sharedFiles(store, digestOf(step.request), step),
    makeWorkDirectory: (name) => makeWorkDirectory(host, store, name, place),
    removeWorkDirectory: (directory) => removeWorkDirectory(host, directory),
  };
}

/** Builds a spec; gives its RPMs as an image request has them. The source packages are in SRPMS of `top`, its sources in SOURCES. */
export async function buildRpms(
  spec: string,
  epoch: number,
  top: string = temporaryDirectory('rpmbuild'),
): Promise<ImageRpm[]> {
  const file = join(top, 'package.spec');
  writeFileSync(file, spec);
  const defines = {
    _topdir: top,
    _buildhost: 'builder',
    _buildshell: '/bin/bash',
    __os_install_post: '%{nil}',
    debug_package: '%{nil}',
    _build_id_links: 'none',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
  };
  const words = Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) };
  const { status, stderr } = spawnSync('rpmbuild', ['-ba', '--quiet', ...words, file], { encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
  const paths = readdirSync(join(top, 'RPMS'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.rpm'),
  );
  return Promise.all(
    paths.sort().map(async (name) => {
      const path = join(top, 'RPMS', name);
      return { path, nevra: formatNevra((await readRpmHeader(path)).package), sha256: await digestFile(path) };
    }),
  );
}
