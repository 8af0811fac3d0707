/** Expected problems as data: collected, compared, shown; never thrown on their own. */
import type { SourceLocation, SourceText } from './source-text.ts';
import { codeFrame } from './code-frame.ts';
import { printable } from './printable.ts';

export type Severity = 'error' | 'warning' | 'note';

/** One problem. `code` is stable and SCREAMING_SNAKE_CASE; `message` quotes the offending input. */
export interface Diagnostic {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
  readonly location?: SourceLocation;
  /** What to do about it, one imperative sentence. */
  readonly hint?: string;
  /** How the place was reached, outermost first: macro expansions, includes. */
  readonly trace?: readonly SourceLocation[];
}

/** `file:line:column: error CODE: message`, then the code frame when the text is given, then the hint; fit for a terminal whatever they quote. */
export function formatDiagnostic(diagnostic: Diagnostic, source?: SourceText): string {
  const { severity, code, message, location, hint } = diagnostic;
  const lines = [`${formatLocation(location)}${severity} ${code}: ${message}`];
  if (source !== undefined && location !== undefined) lines.push(codeFrame(source, location));
  for (const step of diagnostic.trace ?? []) lines.push(`  from ${formatLocation(step).replace(/: $/, '')}`);
  if (hint !== undefined) lines.push(`  hint: ${hint}`);
  return printable(lines.join('\n'));
}

/** `file:line:column: `, or an empty string without a location. */
export function formatLocation(location: SourceLocation | undefined): string {
  if (location === undefined) return '';
  const column = location.column === undefined ? '' : `:${location.column}`;
  return `${location.file}:${location.line}${column}: `;
}
