/** Bearer tokens of places: from the environment, never from a file of the tree. */
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { placeLabel, type SourcePlace } from './source-place.ts';

/** @throws BuildError `SOURCE_TOKEN_MISSING` when the place wants a token and its variable isn't set. */
export function tokenFor(host: Host, place: SourcePlace): string | undefined {
  if (place.kind !== 'mirror' || place.tokenVariable === undefined) return undefined;
  const token = host.environment[place.tokenVariable];
  if (token) return token;
  throw new BuildError(
    'SOURCE_TOKEN_MISSING',
    `the environment variable ${place.tokenVariable} with the token for ${placeLabel(place)} is not set`,
    { hint: 'set it, or take the place out of the distribution’s list' },
  );
}
