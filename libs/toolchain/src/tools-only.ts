/** The rule "tools only": what the distribution's own packages provide must not come from Debian. */
import { BuildError } from '@kiln/diagnostics';

/** Development packages that a C and C++ compiler can't do without, and what these depend on. */
const COMPILER_DEVELOPMENT = [
  /^libc6-dev$/,
  /^linux-libc-dev$/,
  /^libstdc\+\+-\d+-dev$/,
  /^libgcc-\d+-dev$/,
  /^libcrypt-dev$/,
  /^libnsl-dev$/,
  /^libtirpc-dev$/,
];

/** Tools whose names only look like development files. */
const TOOLS = new Set(['autotools-dev']);

/** Whether headers, `.pc` files, static libraries and development links of a package may be in the toolchain. */
export function mayHaveDevelopmentFiles(name: string): boolean {
  return COMPILER_DEVELOPMENT.some((pattern) => pattern.test(name));
}

/**
 * Refuses development packages; asked when a lock is made and again when it is used.
 * @throws BuildError `TOOLCHAIN_NOT_TOOLS_ONLY`.
 */
export function checkToolsOnly(names: Iterable<string>, file: string): void {
  const forbidden = [...names].filter(
    (name) => name.endsWith('-dev') && !TOOLS.has(name) && !mayHaveDevelopmentFiles(name),
  );
  if (forbidden.length === 0) return;
  throw new BuildError(
    'TOOLCHAIN_NOT_TOOLS_ONLY',
    `${file} has development packages of Debian: ${forbidden.join(', ')}`,
    {
      location: { file, line: 1 },
      hint: 'remove them: libraries that packages are built with come from specs of this tree',
    },
  );
}
