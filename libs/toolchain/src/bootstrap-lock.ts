/** What planning must know of stage A's root without making it: generated, beside the table of steps. */
import { BuildError } from '@kiln/diagnostics';

export interface BootstrapLock {
  /** Capabilities of the C library and of the compiler's libraries as rpm's elfdeps writes them, sorted. */
  readonly libraryCapabilities: readonly string[];
  /** Those of perl's modules as rpm's perl.prov writes them, sorted. */
  readonly perlCapabilities: readonly string[];
  /** Absolute paths of the programs, sorted. */
  readonly programs: readonly string[];
}

const PROGRAM = /^\/usr\/s?bin\/[^/\s%]+$/;

/** @throws BuildError `TOOLCHAIN_LOCK_MALFORMED` */
export function parseBootstrapLock(text: string, file: string): BootstrapLock {
  try {
    const lock = JSON.parse(text) as BootstrapLock;
    const list = (member: keyof BootstrapLock): string[] => {
      const value: unknown = lock[member];
      if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
      throw new Error(`'${member}' is no list of texts`);
    };
    const programs = list('programs');
    const bad = programs.find((path) => !PROGRAM.test(path));
    if (bad !== undefined) throw new Error(`'${bad}' is no path of a program`);
    return { libraryCapabilities: list('libraryCapabilities'), perlCapabilities: list('perlCapabilities'), programs };
  } catch (cause) {
    throw new BuildError(
      'TOOLCHAIN_LOCK_MALFORMED',
      `${file} is not a lock of a bootstrap: ${(cause as Error).message}`,
      {
        location: { file, line: 1 },
        hint: 'restore the file, or make it again with `kiln bootstrap --lock`',
        cause,
      },
    );
  }
}

export function formatBootstrapLock({ libraryCapabilities, perlCapabilities, programs }: BootstrapLock): string {
  return `${JSON.stringify({ libraryCapabilities, perlCapabilities, programs }, undefined, 2)}\n`;
}
