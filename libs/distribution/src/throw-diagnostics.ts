/** Diagnostics of a project as the error of a task that needs it. */
import { BuildError, type Diagnostic } from '@kiln/diagnostics';

/** @throws BuildError with the code of the only error, or `PROJECT_BROKEN` with all of them; nothing without errors. */
export function throwDiagnostics(file: string, diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  if (errors.length === 1)
    throw new BuildError(first.code, first.message, { location: first.location, hint: first.hint });
  throw new BuildError('PROJECT_BROKEN', `${file} has ${errors.length} errors`, { diagnostics: errors });
}
