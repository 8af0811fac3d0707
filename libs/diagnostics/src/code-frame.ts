/** Shows a location inside its text, with a caret below. */
import type { SourceLocation, SourceText } from './source-text.ts';

/** The line of the location with its number and, when a column is known, a caret line. Tabs are kept so that carets align. */
export function codeFrame(source: SourceText, location: SourceLocation): string {
  const text = source.lineText(location.line);
  const gutter = ` ${location.line} | `;
  const frame = `${gutter}${text}`;
  if (location.column === undefined) return frame;
  const indent = text.slice(0, location.column - 1).replace(/[^\t]/g, ' ');
  const width = Math.max(1, (location.endColumn ?? location.column + 1) - location.column);
  return `${frame}\n${' '.repeat(gutter.length - 2)}| ${indent}${'^'.repeat(width)}`;
}
