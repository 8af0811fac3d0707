/** A workspace that has Kiln from its tarballs, as somebody else's would; nothing is downloaded. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository that the tests belong to. */
export const REPOSITORY = join(import.meta.dirname, '..', '..', '..');

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Packs all libraries into `directory`. */
export function packLibraries(directory: string): void {
  execFileSync(process.execPath, [join(REPOSITORY, 'tools/pack/pack.mjs'), directory], { stdio: 'pipe' });
}

/**
 * Puts a package and everything it depends on into a workspace's `node_modules`: ours from their tarballs, those of others
 * as links to the repository's.
 */
export function installPacked(workspace: string, name: string, tarballs: string): void {
  const target = join(workspace, 'node_modules', name);
  if (existsSync(target)) return;
  mkdirSync(target, { recursive: true });
  const prefix = `${name.replace('@', '').replace('/', '-')}-`;
  const tarball = readdirSync(tarballs).find(
    (file) => file.startsWith(prefix) && /^\d/.test(file.slice(prefix.length)),
  );
  if (tarball === undefined) throw new Error(`no tarball of ${name} in ${tarballs}`);
  execFileSync('tar', ['-xzf', join(tarballs, tarball), '--strip-components=1', '-C', target]);
  const { dependencies = {} } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as Manifest;
  for (const dependency of Object.keys(dependencies)) {
    if (dependency.startsWith('@kiln/')) installPacked(workspace, dependency, tarballs);
    else linkForeign(target, dependency, name);
  }
}

/** Links a package of the repository; `owner` is the library whose dependency it is, because npm may have nested it there. */
export function linkForeign(directory: string, dependency: string, owner?: string): void {
  const library = owner === '@kiln/nx' ? 'nx-plugin' : owner?.slice('@kiln/'.length);
  const nested = join(REPOSITORY, 'libs', library ?? '', 'node_modules', dependency);
  const link = join(directory, 'node_modules', dependency);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(
    library !== undefined && existsSync(nested) ? nested : join(REPOSITORY, 'node_modules', dependency),
    link,
  );
}

/** Writes a file of the workspace. */
export function write(workspace: string, file: string, text: string): void {
  const path = join(workspace, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
