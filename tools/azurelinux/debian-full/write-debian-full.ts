/** Turns a workspace with the specs of Azure Linux 3 into one that tries them on Debian's packages. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DISTRO_FILE, readDistroConfig, type DistroConfig } from '@kiln/distribution';
import { BUILD_ROOT_MANIFEST } from '../lay-out-workspace.ts';
import { VENDOR } from '../macro-environment/assemble.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const KILN_TOOLKIT = join(HERE, '../../../toolkit');
const TOOLCHAIN = 'toolkit/toolchain';
const BASE = ['debian-bookworm.json', 'debian-bookworm.lock.json'];
const PYPROJECT = 'SPECS/pyproject-rpm-macros';
const BUILD_TOOLS = 'toolkit/macros/macros.build-tools';

/** The distribution doesn't measure its packages by our rules; Debian's own paths break one by being Debian's. */
const SEVERITIES = { '*': 'warning', MULTIARCH_PATH: 'off' } as const;

/** So that a second build gives the same files; the distribution's own macros leave times and the host's name in. */
const REPRODUCIBLE = {
  source_date_epoch_from_changelog: '1',
  use_source_date_epoch_as_buildtime: '1',
  clamp_mtime_to_source_date_epoch: '1',
  _buildhost: 'builder',
  // A number here would be one of the machine, and some changelogs have it.
  _smp_build_ncpus: '${RPM_BUILD_NCPUS:-1}',
};

/** Sets members of distro.json and writes the files that they name. The same workspace gives the same files. */
export function writeDebianFull(root: string): readonly string[] {
  const before = readDistroConfig(root);
  mkdirSync(join(root, TOOLCHAIN), { recursive: true });
  for (const name of BASE) copyFileSync(join(KILN_TOOLKIT, 'toolchain', name), join(root, TOOLCHAIN, name));
  const stated = JSON.parse(readFileSync(join(HERE, 'stated.json'), 'utf8')) as object;
  const text = JSON.stringify({ ...stated, inEveryRoot: developmentPackages(root) }, undefined, 2);
  writeFileSync(join(root, TOOLCHAIN, 'debian-full.json'), `${text}\n`);
  copyFileSync(join(HERE, 'macros.build-tools'), join(root, BUILD_TOOLS));
  const { additional } = before.macros;
  const inBuildRoots = macrosOfPackages(root, additional);
  const config: DistroConfig = {
    ...before,
    macros: { ...before.macros, inBuildRoots, files: { ...scripts(root), ...namedScripts(root, inBuildRoots) } },
    defines: { ...before.defines, ...REPRODUCIBLE, distro_release_version: before.version },
    toolchain: {
      provider: 'debian-full',
      packages: `${TOOLCHAIN}/${BASE[0]!}`,
      lock: `${TOOLCHAIN}/${BASE[1]!}`,
      requirements: { stated: `${TOOLCHAIN}/debian-full.json`, lock: `${TOOLCHAIN}/debian-full.lock.json` },
    },
    checks: { ...before.checks, severities: SEVERITIES },
  };
  writeFileSync(join(root, DISTRO_FILE), `${JSON.stringify(config, undefined, 2)}\n`);
  return [DISTRO_FILE, BUILD_TOOLS, `${TOOLCHAIN}/debian-full.json`];
}

/** Development packages among those that the distribution puts into each build root, and the tools that Debian's base has split. */
function developmentPackages(root: string): string[] {
  if (!existsSync(join(root, BUILD_ROOT_MANIFEST))) return [];
  const files = readFileSync(join(root, BUILD_ROOT_MANIFEST), 'utf8').split('\n').filter(Boolean);
  return files
    .map((file) => file.replace(/-[^-]+-[^-]+$/, ''))
    .filter((name) => /-devel(-static)?$|^util-linux$/.test(name));
}

/** Macro files that lie beside specs and are in build roots when their packages are; those with placeholders are written anew. */
function macrosOfPackages(root: string, additional: readonly string[]): string[] {
  const known = new Set(additional.map((file) => basename(file)));
  const found = new Map<string, string>();
  for (const directory of readdirSync(join(root, 'SPECS')).sort()) {
    for (const name of readdirSync(join(root, 'SPECS', directory)).sort()) {
      if (!name.startsWith('macros.') || known.has(name) || found.has(name)) continue;
      found.set(name, filledIn(root, join('SPECS', directory, name)));
    }
  }
  return [BUILD_TOOLS, ...found.values()];
}

/** Specs put versions for `@@X@@` when they install such a file; the path of the file that has them. */
function filledIn(root: string, file: string): string {
  const text = readFileSync(join(root, file), 'utf8');
  if (!/@@\w+@@/.test(text)) return file;
  const spec = readFileSync(join(root, dirname(file), `${basename(dirname(file))}.spec`), 'utf8');
  const version = /^Version:\s*(\S+)/m.exec(spec)?.[1] ?? '';
  const filled = text.replace(/@@\w*MAJOR\w*@@/g, version.split('.')[0]!).replace(/@@\w+@@/g, version);
  const path = `toolkit/macros/${basename(file)}`;
  writeFileSync(join(root, path), filled);
  return path;
}

/** Programs that such a macro file names and that lie beside it. */
function namedScripts(root: string, macroFiles: readonly string[]): Record<string, string> {
  const found = macroFiles.flatMap((file) => {
    const names = [...readFileSync(join(root, file), 'utf8').matchAll(/\/azl\/([\w.-]+)/g)].map(([, name]) => name!);
    return names.flatMap((name) => {
      const path = join(dirname(file), name);
      return existsSync(join(root, path)) ? [[`azl/${name}`, path] as const] : [];
    });
  });
  return Object.fromEntries(found);
}

/** Programs and compiler specs that the vendor's macros name, as its packages install them. */
function scripts(root: string): Record<string, string> {
  const own = readdirSync(join(root, VENDOR)).filter((name) => !/^macros|\.(spec|json|lua)$|^rpmrc$/.test(name));
  const python = readdirSync(join(root, PYPROJECT)).filter((name) => /^pyproject_.*\.py$/.test(name));
  return Object.fromEntries([
    ...own.map((name) => [`azl/${name}`, `${VENDOR}/${name}`] as const),
    ...python.map((name) => [`azl/${name}`, `${PYPROJECT}/${name}`] as const),
  ]);
}
