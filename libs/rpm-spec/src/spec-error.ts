/** Stops the evaluation of one spec where rpm gives up; never leaves this library. */
import type { Diagnostic } from '@kiln/diagnostics';

export class SpecError extends Error {
  /** What to report; undefined when the macro context has reported already. */
  readonly diagnostic: Diagnostic | undefined;

  constructor(diagnostic: Diagnostic | undefined) {
    super(diagnostic?.message ?? 'macro expansion failed');
    this.diagnostic = diagnostic;
  }
}
