/** Compares what a lock says of a layer with the layer. */
import { BuildError } from '@kiln/diagnostics';

/** @throws BuildError `TOOLCHAIN_LOCK_STALE` when the lock says other things than the layer has. */
export function checkMember(
  member: 'libraryCapabilities' | 'perlCapabilities' | 'programs',
  locked: readonly string[],
  { found, command }: { readonly found: readonly string[]; readonly command: string },
): void {
  const difference = [
    ...locked.filter((one) => !found.includes(one)).map((one) => `${one} is not there`),
    ...found.filter((one) => !locked.includes(one)).map((one) => `${one} is missing in the lock`),
  ];
  if (difference.length === 0) return;
  throw new BuildError('TOOLCHAIN_LOCK_STALE', `the lock's ${member} are wrong: ${difference.slice(0, 3).join(', ')}`, {
    hint: `make the lock again with \`${command}\``,
  });
}
