/** How a failure is told: once, completely, without a stack when we know what it is. */
import { BuildError } from '@kiln/diagnostics';

/** The text for a person. An error that nobody foresaw keeps its stack, because it is a defect. */
export function describeFailure(error: unknown): string {
  if (error instanceof BuildError) return error.format();
  if (isAbort(error))
    return new BuildError('INTERRUPTED', 'the run was interrupted; nothing half-done is kept').format();
  if (isFullDisk(error)) return fullDisk(error as NodeJS.ErrnoException).format();
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new BuildError('INTERNAL', `this is a defect of Kiln:\n${text}`).format();
}

/** Anything that writes may meet it. */
function isFullDisk(error: unknown): boolean {
  return error instanceof Error && ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Of two paths the second one is what was written. */
function fullDisk({ path, dest = path, message }: NodeJS.ErrnoException & { readonly dest?: string }): BuildError {
  return new BuildError('DISK_FULL', dest === undefined ? message : `no space left while writing ${dest}`, {
    hint: 'free some space there (`kiln gc` does in the store), then run the same command again',
  });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
