/** An error of one file as a diagnostic of the project that the file belongs to. */
import type { BuildError, Diagnostic } from '@kiln/diagnostics';

export function asDiagnostic({ code, message, location, hint }: BuildError): Diagnostic {
  return {
    severity: 'error',
    code,
    message,
    ...(location === undefined ? {} : { location }),
    ...(hint === undefined ? {} : { hint }),
  };
}
