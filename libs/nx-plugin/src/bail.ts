/** `--nxBail`, which Nx doesn't tell to executors: read where the command line is known, passed on in the environment. */

/** `1` when nothing new shall begin after a failure. */
export const BAIL_VARIABLE = 'KILN_BAIL';

export function asksToBail(argv: readonly string[]): boolean {
  const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  return words.some((word) => /^--(?:nxBail|nx-bail)(?:=true)?$/.test(word));
}
