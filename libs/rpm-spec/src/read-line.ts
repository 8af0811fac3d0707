/** Reads a spec line by line: joins continued lines, expands them, follows conditionals and includes (build/parseSpec.c). */
import type { Diagnostic, SourceLocation } from '@kiln/diagnostics';
import {
  countBrackets,
  hasOpenBracket,
  isSpace,
  LEVEL,
  noOpenBrackets,
  spaceWords,
  trimSpace,
  trimSpaceEnd,
  trimSpaceStart,
  type MacroContext,
  type MacroEntry,
} from '@kiln/rpm-macro';
import type { Origin } from '@kiln/rpm-package';
import { lineTypeAt, type LineType } from './line-types.ts';
import { SpecError } from './spec-error.ts';

/** What is cut off a line (STRIP_*). */
export interface Strip {
  readonly comments?: boolean;
  readonly trailingSpace?: boolean;
  /** Keep the line out of the expanded text: its section adds its own. */
  readonly parsed?: boolean;
}

interface OpenFile {
  readonly file: string;
  readonly text: string;
  offset: number;
  /** The last line that was read. */
  lineNumber: number;
}

interface Conditional {
  readonly location: SourceLocation;
  reading: boolean;
  /** No branch was taken so far, and the conditional itself is in a live branch. */
  readable: boolean;
  last: LineType;
}

/** In longer lines nobody looks for a column, and to find one for each of many parts would take long. */
const MAX_SEARCHED = 20_000;
/** rpm stops where the system lets it open no more files. */
const MAX_OPEN_FILES = 1000;

/** The reader: after next(), `line` is the line, with its newline unless it was stripped. */
export class SpecReader {
  line = '';
  /** The expanded text of the spec, as `rpmspec --parse` prints it. */
  parsed = '';
  readonly #context: MacroContext;
  readonly #files: OpenFile[] = [];
  readonly #conditionals: Conditional[] = [];
  /** The expanded text of the current logical line, and how much of it was handed out. */
  #expanded = '';
  #taken = 0;
  #raw = '';
  /** Kept because one logical line may give many lines, each with problems. */
  #splitRaw: { readonly raw: string; readonly lines: readonly string[] } = { raw: '', lines: [''] };
  #start: { file: string; line: number };
  #macros: readonly MacroEntry[] = [];

  constructor(context: MacroContext, file: string, text: string) {
    this.#context = context;
    this.#start = { file, line: 1 };
    this.#open(file, text);
  }

  /** Reads the next line; false at the end of the spec. Throws SpecError where rpm gives up. */
  next(strip: Strip): boolean {
    for (;;) {
      if (this.#taken >= this.#expanded.length && !this.#readLogicalLine(strip)) return false;
      const type = this.#takeLine(strip);
      if (type !== undefined && this.#act(type)) continue;
      if (!this.#isReading()) this.line = '';
      if (strip.parsed !== true) this.parsed += strip.trailingSpace === true ? `${this.line}\n` : this.line;
      return true;
    }
  }

  /** Appends to the expanded text what a section makes instead of its lines. */
  append(text: string): void {
    this.parsed += text;
  }

  /** Where the current line stands; with a column for `part` of it, when the line says it literally. */
  location(part?: string): SourceLocation {
    const { file, line } = this.#start;
    if (this.#splitRaw.raw !== this.#raw) this.#splitRaw = { raw: this.#raw, lines: this.#raw.split('\n') };
    const rawLines = this.#splitRaw.lines;
    if (part !== undefined && part !== '' && this.#raw.length <= MAX_SEARCHED) {
      for (const [index, raw] of rawLines.entries()) {
        const column = findPart(raw, part);
        if (column >= 0) return { file, line: line + index, column: column + 1, endColumn: column + part.length + 1 };
      }
    }
    const first = rawLines[0]!;
    const column = first.length - first.trimStart().length + 1;
    return { file, line, column, endColumn: Math.max(column + 1, first.trimEnd().length + 1) };
  }

  /** The definitions of the macros that made the current line, when it is not written in the spec as it is. */
  trace(): readonly SourceLocation[] {
    if (this.#raw === this.#expanded) return [];
    return this.#macros.flatMap((entry) => (entry.location === undefined ? [] : [entry.location]));
  }

  /** The place with what led to it. */
  origin(part?: string): Origin {
    const trace = this.trace();
    return trace.length === 0 ? this.location(part) : { ...this.location(part), trace };
  }

  diagnostic(
    severity: Diagnostic['severity'],
    code: string,
    message: string,
    options: DiagnosticOptions = {},
  ): Diagnostic {
    const trace = this.trace();
    return {
      severity,
      code,
      message,
      location: this.location(options.part),
      ...(options.hint === undefined ? {} : { hint: options.hint }),
      ...(trace.length === 0 ? {} : { trace }),
    };
  }

  fail(code: string, message: string, options: DiagnosticOptions = {}): never {
    throw new SpecError(this.diagnostic('error', code, message, options));
  }

  #readLogicalLine(strip: Strip): boolean {
    let raw = '';
    const open = noOpenBrackets();
    this.#raw = '';
    for (;;) {
      const piece = this.#readFileLine();
      if (piece === undefined) {
        this.#checkEnd(raw);
        return false;
      }
      if (raw === '') this.#start = { file: this.#file().file, line: this.#file().lineNumber };
      raw += piece;
      if (raw === piece && !piece.includes('%') && !piece.includes('\\')) break;
      countBrackets(piece, open);
      if (!hasOpenBracket(open) && !open.escapedNewline) break;
    }
    this.#raw = raw;
    this.#taken = 0;
    this.#expanded = this.#expandLine(raw, strip);
    return true;
  }

  #expandLine(raw: string, strip: Strip): string {
    const first = skipSpace(raw, 0);
    const type = lineTypeAt(raw, first);
    if (type !== undefined && !type.hasArgument && trimSpace(raw.slice(first + type.text.length)) !== '') {
      const message = `extra tokens at the end of ${type.text} directive: ${raw.trim()}`;
      this.#context.diagnostics.push(this.diagnostic('warning', 'SPEC_EXTRA_TOKENS', message));
    }
    const top = this.#conditionals.at(-1);
    const isElif = type !== undefined && type.role === 'branch' && type.hasArgument;
    if (isElif ? top !== undefined && !top.readable : !this.#isReading()) return raw;
    if (!raw.includes('%')) {
      this.#macros = [];
      return raw;
    }
    const { lineNumber } = this.#file();
    const context = this.#context;
    context.push({ name: '__file_lineno', body: String(lineNumber), level: LEVEL.spec, literal: true });
    const expanded = context.tryExpand(raw, this.#start);
    this.#macros = context.outermost.slice();
    context.pop('__file_lineno');
    if (expanded === undefined) throw new SpecError(undefined);
    if (strip.comments === true && raw[first] === '#') this.#warnCommentExpansion(raw, expanded);
    return expanded;
  }

  #warnCommentExpansion(raw: string, expanded: string): void {
    if (raw.replaceAll('%%', '%') === expanded) return;
    const message = `macro expanded in comment: ${raw.trim()}`;
    const hint = 'Write %% in comments, or use %dnl.';
    this.#context.diagnostics.push(this.diagnostic('warning', 'SPEC_MACRO_IN_COMMENT', message, { hint }));
  }

  /** Cuts the next line off the expanded text and gives its type. */
  #takeLine(strip: Strip): LineType | undefined {
    const text = this.#expanded;
    let first = this.#taken;
    while (first < text.length && text[first] !== '\n' && isSpace(text.charCodeAt(first))) first += 1;
    const type = lineTypeAt(text, first);
    let end = lineEnd(text, this.#taken);
    let line = text.slice(this.#taken, end);
    while (type !== undefined && line.endsWith('\\\n')) {
      const next = lineEnd(text, end);
      line = `${line.slice(0, -2)}  ${text.slice(end, next)}`;
      end = next;
    }
    // The blanks before a comment stay (handleComments).
    const isComment = strip.comments === true && text[first] === '#';
    if (isComment) line = text.slice(this.#taken, first);
    this.#taken = end;
    this.line = strip.trailingSpace === true && !isComment ? trimSpaceEnd(line) : line;
    return type;
  }

  #readFileLine(): string | undefined {
    for (;;) {
      const file = this.#files.at(-1);
      if (file === undefined) return undefined;
      if (file.offset < file.text.length) {
        const end = lineEnd(file.text, file.offset);
        const line = file.text.slice(file.offset, end);
        file.offset = end;
        file.lineNumber += 1;
        // rpm's lines are C strings.
        const zero = line.indexOf('\0');
        return zero < 0 ? line : line.slice(0, zero);
      }
      if (this.#files.length === 1) return undefined;
      this.#close();
    }
  }

  #checkEnd(unfinished: string): void {
    const open = this.#conditionals.at(-1);
    if (open !== undefined) {
      const message = `unclosed ${open.last.kind === 'else' ? '%if' : open.last.text}`;
      const hint = 'Add the missing %endif.';
      throw new SpecError({ severity: 'error', code: 'SPEC_UNCLOSED_IF', message, location: open.location, hint });
    }
    if (unfinished === '') return;
    this.#raw = unfinished;
    const hint = 'Close the %{, %( or %[ that opens here, or remove the backslash at the end.';
    this.fail('SPEC_UNCLOSED_MACRO', 'unclosed macro or bad line continuation', { hint });
  }

  #isReading(): boolean {
    return this.#conditionals.at(-1)?.reading ?? true;
  }

  /** Does what a conditional or include says; true when there is no line to hand out. */
  #act(type: LineType): boolean {
    const text = trimSpaceStart(this.line);
    const top = this.#conditionals.at(-1);
    if (type.role === 'include') return this.#isReading() && this.#include(text);
    if (type.role !== 'open') this.#checkOrder(type, top);
    if (type.role === 'close') this.#conditionals.pop();
    else if (type.role === 'open') {
      const reading = this.#isReading();
      const match = this.#matches(type, text, reading);
      const location = this.location(type.text);
      this.#conditionals.push({ location, reading: reading && match, readable: reading && !match, last: type });
    } else if (type.kind === 'else') {
      top!.last = type;
      top!.reading = top!.readable;
    } else {
      top!.reading = this.#matches(type, text, top!.readable) && top!.readable;
      if (top!.reading) top!.readable = false;
    }
    this.line = '';
    return false;
  }

  #checkOrder(type: LineType, top: Conditional | undefined): void {
    if (top === undefined) this.fail('SPEC_STRAY_CONDITIONAL', `${type.text} with no %if`, { part: type.text });
    if (type.role === 'branch' && top.last.kind === 'else') {
      this.fail('SPEC_STRAY_CONDITIONAL', `${type.text} after ${top.last.text}`, { part: type.text });
    }
  }

  #matches(type: LineType, text: string, wanted: boolean): boolean {
    const argument = text.slice(type.text.length);
    switch (type.kind) {
      case 'ifarch':
      case 'elifarch':
        return this.#hasWord(type, '%{_target_cpu}', argument);
      case 'ifnarch':
        return !this.#hasWord(type, '%{_target_cpu}', argument);
      case 'ifos':
      case 'elifos':
        return this.#hasWord(type, '%{_target_os}', argument);
      case 'ifnos':
        return !this.#hasWord(type, '%{_target_os}', argument);
      default:
        return wanted && this.#condition(type, argument);
    }
  }

  #condition(type: LineType, argument: string): boolean {
    const before = this.#context.diagnostics.length;
    const value = this.#context.evaluateCondition(argument);
    if (value !== undefined) return value;
    const [problem] = this.#context.diagnostics.splice(before);
    const message = `bad ${type.text} condition: ${problem?.message ?? argument.trim()}`;
    const hint = problem?.hint;
    this.fail('SPEC_BAD_CONDITION', message, { part: argument.trim(), ...(hint === undefined ? {} : { hint }) });
  }

  #hasWord(type: LineType, macro: string, argument: string): boolean {
    const words = spaceWords(argument.toLowerCase());
    if (words.length === 0) this.fail('SPEC_BAD_CONDITION', `argument expected for ${type.text}`, { part: type.text });
    return words.includes(this.#context.expand(macro).toLowerCase());
  }

  #include(text: string): boolean {
    const path = trimSpace(text.slice('%include'.length));
    if (path === '') this.fail('SPEC_INCLUDE', 'malformed %include statement', { hint: 'Name the file to include.' });
    if (this.#files.length >= MAX_OPEN_FILES) {
      const hint = 'Look for a file that includes itself.';
      this.fail('SPEC_INCLUDE', `unable to open ${path}: too many open files`, { hint });
    }
    const content = this.#context.readFile(path);
    if (content === undefined) {
      const hint = 'Check the path; %include usually names a source: %include %{SOURCE1}.';
      this.fail('SPEC_INCLUDE', `unable to open ${path}`, { hint });
    }
    this.#open(path, content);
    return true;
  }

  #open(file: string, text: string): void {
    this.#files.push({ file, text, offset: 0, lineNumber: 0 });
    this.#context.push({ name: '__file_name', body: file, level: LEVEL.spec, literal: true });
  }

  #close(): void {
    this.#files.pop();
    this.#context.pop('__file_name');
  }

  /** Ends reading before the end of the spec: the noarch pass opens it again. */
  close(): void {
    while (this.#files.length > 0) this.#close();
  }

  #file(): OpenFile {
    return this.#files.at(-1)!;
  }
}

export interface DiagnosticOptions {
  readonly hint?: string;
  /** The part of the line that is meant. */
  readonly part?: string;
}

/** Where `part` stands as a word of its own, else where it stands at all. */
function findPart(line: string, part: string): number {
  const isInWord = (at: number): boolean => /[\w.+-]/.test(line[at] ?? '');
  for (let at = line.indexOf(part); at >= 0; at = line.indexOf(part, at + 1)) {
    if (!isInWord(at - 1) && !isInWord(at + part.length)) return at;
  }
  return line.indexOf(part);
}

/** The offset after the newline that ends the line at `start`. */
function lineEnd(text: string, start: number): number {
  const newline = text.indexOf('\n', start);
  return newline < 0 ? text.length : newline + 1;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}
