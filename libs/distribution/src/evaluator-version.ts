/** Which code evaluates: a digest of the files of all libraries that take part, so that no edit of ours can keep an old answer. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIBRARIES = [
  '@kiln/diagnostics',
  '@kiln/rpm-package',
  '@kiln/rpm-macro',
  '@kiln/rpm-spec',
  '@kiln/package-graph',
];

/** The code of this process, as it was when it was loaded: a process that lives on keeps its old code. */
export const EVALUATOR_VERSION = evaluatorVersion();

/** The code as it is on the disk now. In the repository it is in `src`, in an installed package in `dist`. */
export function evaluatorVersion(): string {
  const own = dirname(fileURLToPath(import.meta.url));
  return codeDigest([dirname(own), ...LIBRARIES.map(packageDirectory)], basename(own));
}

/** Digest of the code of packages, of the versions that they depend on, and of the version of Node.js. */
export function codeDigest(packages: readonly string[], codeDirectory: string): string {
  const digest = createHash('sha256').update(process.version);
  for (const directory of packages) {
    digest.update(readFileSync(join(directory, 'package.json')));
    const code = join(directory, codeDirectory);
    for (const file of codeFiles(code)) digest.update(`\0${file}\0`).update(readFileSync(join(code, file)));
  }
  return digest.digest('hex');
}

function packageDirectory(name: string): string {
  const places = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const found = places.map((place) => join(place, name)).find((place) => existsSync(join(place, 'package.json')));
  if (found === undefined) throw new Error(`the package ${name} is not installed`);
  return realpathSync(found);
}

function codeFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[jt]s$/.test(file))
    .sort();
}
