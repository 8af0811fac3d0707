/** Bearer tokens of places: from the environment, never from a file of the tree. */
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { placeLabel, type SourcePlace } from './source-place.ts';

/** What a header can carry (RFC 9110 §5.5). */
const TOKEN = /^[\x21-\x7e]+$/;

/** @throws BuildError `SOURCE_TOKEN_MISSING` when the place wants a token and its variable isn't set, `SOURCE_TOKEN_INVALID`. */
export function tokenFor(host: Host, place: SourcePlace): string | undefined {
  if (place.kind !== 'mirror' || place.tokenVariable === undefined) return undefined;
  // Secrets that come from files often end with a newline.
  const token = host.environment[place.tokenVariable]?.trim();
  if (token && TOKEN.test(token)) return token;
  if (token)
    throw new BuildError(
      'SOURCE_TOKEN_INVALID',
      `the environment variable ${place.tokenVariable} has more than one word, or letters that no token has`,
      { hint: 'set it to the token alone, without "Bearer"' },
    );
  throw new BuildError(
    'SOURCE_TOKEN_MISSING',
    `the environment variable ${place.tokenVariable} with the token for ${placeLabel(place)} is not set`,
    { hint: 'set it, or take the place out of the distribution’s list' },
  );
}
