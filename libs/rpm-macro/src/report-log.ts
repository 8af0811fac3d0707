/** Problems of expansion and where they are: the text that is being expanded, the place in it, the macros in between. */
import type { Diagnostic, Severity, SourceLocation } from '@kiln/diagnostics';
import type { MacroEntry } from './macro-table.ts';

/** Where an expanded text stands; its first line is `line`. */
export interface TextOrigin {
  readonly file: string;
  readonly line: number;
}

/** A line of the text: its number from 0, its start, and its newline, -1 when nobody looked for that. */
interface Line {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

const FIRST_LINE: Line = { number: 0, start: 0, end: -1 };

/** Collects diagnostics while texts are expanded. */
export class ReportLog {
  /** In order. */
  readonly diagnostics: Diagnostic[] = [];
  /** The macros whose bodies are being expanded, outermost first. */
  readonly stack: MacroEntry[] = [];
  /** Of the outermost call in the text. */
  offset = 0;
  #origin: TextOrigin | undefined;
  #text = '';
  /** At or before the offset: problems come in the order of the text, so lines are counted from here. */
  #line = FIRST_LINE;

  /** The text whose offsets are meant from now on. */
  begin(text: string, origin: TextOrigin | undefined): void {
    [this.#origin, this.#text, this.offset, this.#line] = [origin, text, 0, FIRST_LINE];
  }

  isCurrent(text: string): boolean {
    return text === this.#text;
  }

  /** Runs `action` as if it stood at `location`. */
  at<T>(location: SourceLocation | undefined, action: () => T): T {
    const saved = [this.#origin, this.#text, this.offset, this.#line] as const;
    this.begin('', location ?? this.#origin);
    try {
      return action();
    } finally {
      [this.#origin, this.#text, this.offset, this.#line] = saved;
    }
  }

  report(severity: Severity, code: string, message: string, hint?: string): void {
    const location = this.location();
    const trace = this.stack.flatMap((entry) => (entry.location === undefined ? [] : [entry.location]));
    this.diagnostics.push({
      severity,
      code,
      message,
      ...(location === undefined ? {} : { location }),
      ...(hint === undefined ? {} : { hint }),
      ...(trace.length === 0 ? {} : { trace }),
    });
  }

  /** The place of the outermost macro call that is being expanded. */
  location(): SourceLocation | undefined {
    if (this.#origin === undefined) return undefined;
    let { number, start, end } = this.#line.start > this.offset ? FIRST_LINE : this.#line;
    while (end < this.offset) {
      if (end >= 0) [number, start] = [number + 1, end + 1];
      end = this.#text.indexOf('\n', start);
      if (end < 0) end = Number.POSITIVE_INFINITY;
    }
    this.#line = { number, start, end };
    return { file: this.#origin.file, line: this.#origin.line + number, column: this.offset - start + 1 };
  }
}
