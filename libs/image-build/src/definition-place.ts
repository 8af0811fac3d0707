/** Says of errors where the definition asked for what failed. */
import { BuildError } from '@kiln/diagnostics';
import type { ImageDefinition } from '@kiln/image-config';

type Places = Pick<ImageDefinition, 'file' | 'places'>;

/** Runs `work` for a part of the definition, by its name in `places`; an error about the image that names no place gets its. */
export async function atPlace<T>(definition: Places, part: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw placed(error, definition, part);
  }
}

/** The same at once. */
export function atPlaceNow<T>(definition: Places, part: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw placed(error, definition, part);
  }
}

/** A part that has no place of its own is that of the whole file. Machines, stores and interrupts are nobody's definition. */
function placed(error: unknown, { file, places }: Places, part: string): unknown {
  if (!(error instanceof BuildError) || error.location !== undefined) return error;
  if (!/^(IMAGE|PARTITION)_/.test(error.code)) return error;
  const { code, message, hint, log, command, diagnostics, cause } = error;
  const location = places[part] ?? { file, line: 1 };
  return new BuildError(code, message, { location, hint, log, command, diagnostics, cause });
}
