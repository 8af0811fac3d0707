/** `debian-<suite>.json`: which Debian packages the toolchain is made of and which capabilities they stand for. */
import { BuildError } from '@kiln/diagnostics';

export interface DebianPackages {
  /** Code name of the suite. */
  readonly suite: string;
  /** Names of packages; their dependencies are added when the lock is made. */
  readonly packages: readonly string[];
  /** Dependencies that are left out: what only administers a Debian system, and development files that the distribution brings itself. */
  readonly exclude: readonly string[];
  /** RPM capability → the Debian package whose version it gets; absolute paths are capabilities without version. */
  readonly provides: Readonly<Record<string, string>>;
}

/**
 * Reads the file; `file` is how it is called in messages.
 * @throws BuildError `TOOLCHAIN_CONFIG_INVALID`.
 */
export function parseDebianPackages(text: string, file: string): DebianPackages {
  const fail = (message: string) =>
    new BuildError('TOOLCHAIN_CONFIG_INVALID', `${file}: ${message}`, { location: { file, line: 1 } });
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw fail((error as Error).message);
  }
  const { suite, packages, exclude = [], provides, ...unknown } = value;
  const [extra] = Object.keys(unknown);
  if (extra !== undefined) throw fail(`the member '${extra}' is unknown`);
  if (typeof suite !== 'string' || !/^[a-z]+$/.test(suite))
    throw fail("'suite' must be the code name of a Debian suite");
  for (const [name, list] of Object.entries({ packages, exclude })) {
    if (!isNameList(list)) throw fail(`'${name}' must be a list of Debian package names`);
  }
  if (typeof provides !== 'object' || provides === null || !isNameList(Object.values(provides))) {
    throw fail("'provides' must map capabilities to Debian package names");
  }
  return { suite, packages, exclude, provides } as DebianPackages;
}

function isNameList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && /^[a-z0-9][a-z0-9+.-]+$/.test(name));
}
