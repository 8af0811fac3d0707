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

/**
 * Capabilities of the named libraries as rpm's own elfdeps writes them, sorted.
 * @throws BuildError `SANDBOX_FAILED`, `TOOLCHAIN_UNUSABLE`.
 */
export async function libraryCapabilities(
  host: Host,
  root: string,
  manifest: readonly ManifestEntry[],
): Promise<string[]> {
  const libraries = manifest
    .filter(({ path, owner }) => owner !== undefined && NAMED_LIBRARIES.has(owner) && LIBRARY_PATH.test(path))
    .map(({ path }) => `/${path}\n`);
  const result = await runSandboxed(host, {
    layers: [root],
    identity: 'builder',
    argv: ['/usr/lib/rpm/elfdeps', '--provides'],
    environment: TOOL_ENVIRONMENT,
    input: libraries.join(''),
  });
  if (result.status !== 0 || !result.stdout.includes('libc.so.6()(64bit)')) {
    throw new BuildError('TOOLCHAIN_UNUSABLE', `rpm's elfdeps doesn't work in the toolchain: ${result.stderr.trim()}`, {
      command: result.command,
    });
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
