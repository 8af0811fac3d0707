/** The one way in which a reader of RPM files says that its input is not what it claims to be. */
import { BuildError } from '@kiln/diagnostics';

/** `RPM_MALFORMED`: `origin` names the file and the part of it, `what` says what was found there. */
export function malformed(origin: string, what: string): BuildError {
  return new BuildError('RPM_MALFORMED', `${origin}: ${what}`, {
    hint: 'the file is damaged or not an RPM: fetch or build it again',
  });
}
