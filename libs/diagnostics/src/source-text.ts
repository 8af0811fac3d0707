/** A named text and the mapping between its offsets and its lines. */

/** A place in a text; `line` and `column` are 1-based, `column` counts UTF-16 units. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
  /** Exclusive end column on the same line, for the caret frame. */
  readonly endColumn?: number;
}

/** An immutable text with a name. `file` is what a person reads in messages, usually relative to the workspace. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** The location of a UTF-16 offset; offsets past the end give the end. */
  locationAt(offset: number): SourceLocation {
    const starts = this.lineStarts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: Math.min(offset, this.text.length) - starts[low]! + 1 };
  }

  /** The text of a 1-based line without its line terminator; empty when there is no such line. */
  lineText(line: number): string {
    const starts = this.lineStarts();
    const start = starts[line - 1];
    if (start === undefined) return '';
    const end = starts[line] ?? this.text.length;
    return this.text.slice(start, end).replace(/\r?\n$/, '');
  }

  private lineStarts(): number[] {
    if (this.#lineStarts === undefined) {
      const starts = [0];
      for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1);
      this.#lineStarts = starts;
    }
    return this.#lineStarts;
  }
}
