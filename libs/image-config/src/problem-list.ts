/** Problems of a definition that are collected, so that all are told at once. */
import { BuildError, type Diagnostic, type SourceLocation } from '@kiln/diagnostics';

export class ProblemList {
  readonly #found: Diagnostic[] = [];

  /** Notes an `IMAGE_CONFIG_INVALID`. */
  add(message: string, location: SourceLocation, hint?: string): void {
    this.#found.push({
      severity: 'error',
      code: 'IMAGE_CONFIG_INVALID',
      message,
      location,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  all(): readonly Diagnostic[] {
    return this.#found;
  }
}

/** Throws the problems of `file` as one error, when there are any. */
export function failOn(code: string, file: string, problems: readonly Diagnostic[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  if (others.length === 0) throw new BuildError(code, first.message, { location: first.location, hint: first.hint });
  throw new BuildError(code, `${file} has ${problems.length} problems`, {
    location: first.location,
    diagnostics: problems,
  });
}
