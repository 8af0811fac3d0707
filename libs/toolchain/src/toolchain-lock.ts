/** `debian-<suite>.lock.json`: every package of the toolchain by digest, and what planning must know of it without any download. */
import { BuildError } from '@kiln/diagnostics';
import { parseSha256 } from '@kiln/build-identity';
import type { ArchiveFile } from '@kiln/sources';

export interface LockedPackage extends ArchiveFile {
  readonly name: string;
  /** Debian's version, with epoch and revision. */
  readonly version: string;
  readonly architecture: string;
}

export interface ToolchainLock {
  readonly suite: string;
  /** In the order of their names. */
  readonly packages: readonly LockedPackage[];
  /** Capabilities of the named libraries as rpm's elfdeps writes them, sorted. */
  readonly libraryCapabilities: readonly string[];
  /** Absolute paths of the layer's programs, sorted; a lock without them offers those that the package list names. */
  readonly programs?: readonly string[];
}

/**
 * Reads a lock; `file` is how it is called in messages.
 * @throws BuildError `TOOLCHAIN_LOCK_MALFORMED`.
 */
export function parseToolchainLock(text: string, file: string): ToolchainLock {
  try {
    const { suite, packages, libraryCapabilities, programs } = JSON.parse(text) as ToolchainLock;
    if (typeof suite !== 'string') throw new Error("'suite' is missing");
    if (!Array.isArray(libraryCapabilities)) throw new Error("'libraryCapabilities' is missing");
    return {
      suite,
      packages: packages.map(checkLockedPackage),
      libraryCapabilities: libraryCapabilities.map(String),
      ...(programs === undefined ? {} : { programs: programs.map(checkProgram) }),
    };
  } catch (cause) {
    throw new BuildError(
      'TOOLCHAIN_LOCK_MALFORMED',
      `${file} is not a lock of a toolchain: ${(cause as Error).message}`,
      {
        location: { file, line: 1 },
        hint: 'restore the file, or make it again with `kiln lock-toolchain`',
        cause,
      },
    );
  }
}

/** The text of a lock: one package a line, so that changes read well. */
export function formatToolchainLock(lock: ToolchainLock): string {
  const lines = (list: readonly unknown[]) => list.map((one) => `    ${JSON.stringify(one)}`).join(',\n');
  return `{
  "suite": ${JSON.stringify(lock.suite)},
  "packages": [
${lines(lock.packages)}
  ],
  "libraryCapabilities": [
${lines(lock.libraryCapabilities)}
  ]${lock.programs === undefined ? '' : `,\n  "programs": [\n${lines(lock.programs)}\n  ]`}
}
`;
}

function checkProgram(path: unknown): string {
  if (typeof path === 'string' && /^\/usr\/s?bin\/[^/\s%]+$/.test(path)) return path;
  throw new Error(`${JSON.stringify(path)} is no path of a program`);
}

/** @throws Error that names the malformed member. */
export function checkLockedPackage(one: LockedPackage): LockedPackage {
  const { name, version, architecture, sha256, size, archive, path } = one;
  for (const [member, value] of Object.entries({ name, version, architecture })) {
    if (typeof value !== 'string' || !/^[\w.+:~-]+$/.test(value))
      throw new Error(`'${member}' is malformed in ${JSON.stringify(one)}`);
  }
  if (!Number.isSafeInteger(size)) throw new Error(`'size' is malformed in ${JSON.stringify(one)}`);
  if (archive !== 'main' && archive !== 'security') throw new Error(`'archive' is malformed in ${JSON.stringify(one)}`);
  if (typeof path !== 'string' || !/^pool\/[\w.+~/-]+\.deb$/.test(path) || path.includes('..')) {
    throw new Error(`'path' is malformed in ${JSON.stringify(one)}`);
  }
  return { name, version, architecture, sha256: parseSha256(sha256), size, archive, path };
}
