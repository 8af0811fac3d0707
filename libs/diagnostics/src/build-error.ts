/** The one exception type of Kiln: an operation that can't go on, said once and completely. */
import type { Diagnostic } from './diagnostic.ts';
import { formatDiagnostic } from './diagnostic.ts';
import { printable } from './printable.ts';
import type { SourceLocation } from './source-text.ts';

export interface BuildErrorOptions {
  readonly location?: SourceLocation | undefined;
  /** What the user can do, one imperative sentence. */
  readonly hint?: string | undefined;
  /** Path of the log that has the details. */
  readonly log?: string | undefined;
  /** A command that repeats the failed step, ready to paste. */
  readonly command?: string | undefined;
  /** The single problems behind it, when there are several. */
  readonly diagnostics?: readonly Diagnostic[] | undefined;
  readonly cause?: unknown;
}

/** Thrown when an operation fails. `code` is stable; `message` says what was found; the options say where and what to do. */
export class BuildError extends Error {
  readonly code: string;
  readonly location: SourceLocation | undefined;
  readonly hint: string | undefined;
  readonly log: string | undefined;
  readonly command: string | undefined;
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: string, message: string, options: BuildErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BuildError';
    this.code = code;
    this.location = options.location;
    this.hint = options.hint;
    this.log = options.log;
    this.command = options.command;
    this.diagnostics = options.diagnostics ?? [];
  }

  /** The same with a place, unless it has one. */
  at(location: SourceLocation | undefined): BuildError {
    if (this.location !== undefined || location === undefined) return this;
    const { code, message, hint, log, command, diagnostics, cause } = this;
    return new BuildError(code, message, { location, hint, log, command, diagnostics, cause });
  }

  /** The error as text for a person: where, code, message, the problems behind it, hint, log, command. Fit for a terminal whatever they quote. */
  format(): string {
    const head: Diagnostic = {
      severity: 'error',
      code: this.code,
      message: this.message,
      ...(this.location === undefined ? {} : { location: this.location }),
    };
    const lines = [formatDiagnostic(head)];
    for (const diagnostic of this.diagnostics) lines.push(formatDiagnostic(diagnostic).replace(/^/gm, '  '));
    if (this.hint !== undefined) lines.push(`  hint: ${this.hint}`);
    if (this.log !== undefined) lines.push(`  log: ${this.log}`);
    if (this.command !== undefined) lines.push(`  repeat: ${this.command}`);
    return printable(lines.join('\n'));
  }
}
