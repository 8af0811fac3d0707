/** What native code may take from the toolchain itself: the named libraries, and the compiler's own headers. */
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { runSandboxed } from '@kiln/sandbox';
import type { ManifestEntry } from './layer-manifest.ts';
import { mayHaveDevelopmentFiles } from './tools-only.ts';
import { TOOL_ENVIRONMENT } from './tool-environment.ts';

/** Debian packages whose shared libraries a built RPM may need: the C library, the dynamic linker, the compilers' run times. */
const NAMED_LIBRARIES = new Set(['libc6', 'libgcc-s1', 'libstdc++6']);

const LIBRARY_PATH = /^usr\/lib\/(x86_64-linux-gnu\/)?[^/]+\.so(\.[\d.]+)?$/;

/** Paths of the libraries that these packages or steps have. */
export function namedLibraries(
  manifest: readonly ManifestEntry[],
  owners: ReadonlySet<string> = NAMED_LIBRARIES,
): string[] {
  return manifest
    .filter(({ path, owner }) => owner !== undefined && owners.has(owner) && LIBRARY_PATH.test(path))
    .map(({ path }) => path);
}

/**
 * Capabilities of libraries (paths below the root) as rpm's own elfdeps writes them, sorted.
 * @throws BuildError `SANDBOX_FAILED`, `TOOLCHAIN_UNUSABLE`.
 */
export async function libraryCapabilities(host: Host, root: string, libraries: readonly string[]): Promise<string[]> {
  const result = await runSandboxed(host, {
    layers: [root],
    identity: 'builder',
    argv: ['/usr/lib/rpm/elfdeps', '--provides'],
    environment: TOOL_ENVIRONMENT,
    input: libraries.map((path) => `/${path}\n`).join(''),
  });
  if (result.status !== 0 || !result.stdout.includes('libc.so.6()(64bit)')) {
    throw new BuildError('TOOLCHAIN_UNUSABLE', `rpm's elfdeps doesn't work in the toolchain: ${result.stderr.trim()}`, {
      command: result.command,
    });
  }
  return [...new Set(result.stdout.trim().split('\n'))].sort();
}

const PERL_MODULE = /^usr\/lib\/perl5\/.*\.pm$/;

/**
 * Capabilities of perl's own modules as rpm's generator writes them, sorted; none without such modules.
 * @throws BuildError `SANDBOX_FAILED`, `TOOLCHAIN_UNUSABLE`.
 */
export async function perlCapabilities(
  host: Host,
  root: string,
  manifest: readonly Pick<ManifestEntry, 'path'>[],
): Promise<string[]> {
  const modules = manifest.filter(({ path }) => PERL_MODULE.test(path)).map(({ path }) => `/${path}\n`);
  if (modules.length === 0) return [];
  const result = await runSandboxed(host, {
    layers: [root],
    identity: 'builder',
    argv: ['/usr/lib/rpm/perl.prov'],
    environment: TOOL_ENVIRONMENT,
    input: modules.join(''),
  });
  if (result.status !== 0 || !result.stdout.includes('perl(strict)')) {
    throw new BuildError(
      'TOOLCHAIN_UNUSABLE',
      `rpm's perl.prov doesn't work in the toolchain: ${result.stderr.trim()}`,
      {
        command: result.command,
      },
    );
  }
  return [...new Set(result.stdout.trim().split('\n'))].sort();
}

/** Absolute paths of the headers that come with the compiler and the C library. */
export function compilerHeaders(manifest: readonly ManifestEntry[]): Set<string> {
  const isHeader = ({ path, owner, type }: ManifestEntry) =>
    type !== 'directory' &&
    owner !== undefined &&
    mayHaveDevelopmentFiles(owner) &&
    (path.startsWith('usr/include/') || path.startsWith('usr/lib/gcc/'));
  return new Set(manifest.filter(isHeader).map(({ path }) => `/${path}`));
}
