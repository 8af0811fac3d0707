/** How a failure is told: once, completely, without a stack when we know what it is. */
import { BuildError } from '@kiln/diagnostics';

/** The text for a person. An error that nobody foresaw keeps its stack, because it is a defect. */
export function describeFailure(error: unknown): string {
  if (error instanceof BuildError) return error.format();
  if (isAbort(error))
    return new BuildError('INTERRUPTED', 'the run was interrupted; nothing half-done is kept').format();
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new BuildError('INTERNAL', `this is a defect of Kiln:\n${text}`).format();
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
