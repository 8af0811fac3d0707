/** The macro engine: expands texts over a table of definitions, with the rules of rpm 4.18 (rpmio/macro.c). */
import type { Diagnostic, Severity, SourceLocation } from '@kiln/diagnostics';
import { popArguments, pushArguments, readWords } from './arguments.ts';
import type { Builtin } from './builtins.ts';
import { builtinsOf, callBuiltin } from './builtins.ts';
import { parseCNumber } from './c-number.ts';
import { isAlpha, trimEolEnd } from './characters.ts';
import { define } from './define.ts';
import { newExpansion, type Expansion } from './expansion.ts';
import { DIALECTS, type Dialect, type RpmVersion } from './dialect.ts';
import type { ExpressionValue } from './expression.ts';
import { evaluateExpression, ExpressionError, formatExpressionValue, isTruthy } from './expression.ts';
import { makeLuaHost } from './lua-host.ts';
import { readMacroCall, type MacroCall } from './macro-call.ts';
import { findMacroEnd } from './macro-end.ts';
import { readDefinitions } from './macro-file.ts';
import type { MacroDefinition, MacroEntry } from './macro-table.ts';
import { LEVEL, MacroTable } from './macro-table.ts';
import type { LuaHost, MacroPorts } from './ports.ts';
import { ReportLog, type TextOrigin } from './report-log.ts';
import { outputLimit, WorkLimits, wordLimit } from './work-limits.ts';

export interface MacroContextOptions {
  /** The definitions to start from; they stay as they are. */
  readonly table?: MacroTable;
  readonly ports?: MacroPorts;
  readonly rpmVersion?: RpmVersion;
  /** Built-in macros beyond rpm's own. */
  readonly builtins?: readonly Builtin[];
}

/** Macros and everything that expanding them needs. Not re-entrant across specs: make one per evaluation. */
export class MacroContext {
  readonly table: MacroTable;
  /** The definitions that it started from. */
  readonly initialTable: MacroTable;
  readonly ports: MacroPorts;
  readonly dialect: Dialect;
  /** Names that were looked up and found, and names that were looked up in vain. */
  readonly usedNames = new Set<string>();
  readonly missingNames = new Set<string>();
  /** Files that were read through the port: macro files, includes, Lua modules. */
  readonly readFiles = new Set<string>();
  /** Shell commands that were run through the port. */
  readonly shellCommands = new Set<string>();
  /** The macros of the text expanded last, outermost ones only. */
  readonly outermost: MacroEntry[] = [];
  /** What Lua scripts may ask. */
  readonly luaHost: LuaHost;

  readonly #log = new ReportLog();
  readonly #limits = new WorkLimits();
  #depth = 0;
  #level = 0;

  constructor(options: MacroContextOptions = {}) {
    this.initialTable = options.table ?? new MacroTable();
    this.table = this.initialTable.fork();
    this.ports = options.ports ?? {};
    this.dialect = DIALECTS[options.rpmVersion ?? '4.18'];
    for (const builtin of [...builtinsOf(options.rpmVersion ?? '4.18'), ...(options.builtins ?? [])]) {
      if (this.table.peek(builtin.name)?.builtin !== undefined) continue;
      const options = builtin.arity === 0 ? undefined : '';
      this.table.push({ name: builtin.name, options, body: '<builtin>', level: LEVEL.builtin, builtin });
    }
    this.luaHost = makeLuaHost(this);
  }

  /** Every problem that expansion met, in order. */
  get diagnostics(): Diagnostic[] {
    return this.#log.diagnostics;
  }

  /** Defines `name body` or `name(options) body`; false when it is no definition (then a diagnostic says why). */
  define(text: string, level: number = LEVEL.global, location: SourceLocation | undefined = this.location()): boolean {
    const expansion = newExpansion(0, 0);
    this.#log.at(location, () => define(this, expansion, text, { level, expandBody: false, wholeText: false }));
    return !expansion.failed;
  }

  /** Defines a macro whose parts are at hand; nothing is checked or unescaped. */
  push(definition: MacroDefinition): void {
    this.table.push(definition);
  }

  /** Removes the newest definition of a name. */
  pop(name: string): void {
    this.table.pop(name);
  }

  isDefined(name: string): boolean {
    const entry = this.table.get(name);
    (entry === undefined ? this.missingNames : this.usedNames).add(name);
    return entry !== undefined;
  }

  /** Reads the definitions of a macro file text; false when one of them is broken. */
  loadMacroFile(file: string, text: string, level: number = LEVEL.macroFiles): boolean {
    let sound = true;
    for (const { body, line } of readDefinitions(text)) {
      if (!this.define(body, level, { file, line })) sound = false;
    }
    return sound;
  }

  /** Loads a macro file through the port; false when it can't be read or is broken. */
  loadMacroPath(path: string): boolean {
    const text = this.readFile(path);
    return text !== undefined && this.loadMacroFile(path, text);
  }

  /** The text with its macros expanded; what a failing macro leaves is kept and a diagnostic is added. */
  expand(text: string, origin?: TextOrigin): string {
    return this.#run(text, origin).out;
  }

  /** The expanded text; undefined when expansion failed. */
  tryExpand(text: string, origin?: TextOrigin): string | undefined {
    const expansion = this.#run(text, origin);
    return expansion.failed ? undefined : expansion.out;
  }

  /** The number a text expands to, as rpmExpandNumeric(): Y and N count as 1 and 0, anything else but a number as 0. */
  expandNumeric(text: string): number {
    const value = this.expand(text);
    if (/^[Yy]/.test(value)) return 1;
    return /^[ \t-\r]*[-+]?(0[xX][0-9a-fA-F]+|\d+)$/.test(value) ? parseCNumber(value) : 0;
  }

  /** Calls a macro by name with ready-made arguments (rpmExpandThisMacro); undefined when there is none or it fails. */
  callMacro(name: string, words: readonly string[]): string | undefined {
    const entry = this.table.get(name);
    if (entry === undefined) return undefined;
    this.usedNames.add(name);
    const expansion = newExpansion(this.#depth, this.#level);
    if (!this.#enter(expansion, 0)) return undefined;
    this.callEntry(expansion, entry, entry.options === undefined ? undefined : [name, ...words]);
    this.#leave(expansion);
    return expansion.failed ? undefined : expansion.out;
  }

  /** The value of an expression; with `expand`, `%` macros in it are expanded where they are needed. */
  evaluateExpression(text: string, options: { readonly expand?: boolean } = {}): ExpressionValue | undefined {
    try {
      return evaluateExpression(text, {
        ...(options.expand === true ? { expand: (part: string) => this.tryExpand(part) } : {}),
        callLua: (name, values) => this.#callLua(name, values),
      });
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.report('error', 'EXPRESSION_INVALID', `${error.message}: ${text.trim()}`, error.hint);
      return undefined;
    }
  }

  /** The result of a Lua function in an expression; undefined when there is no Lua or it fails. */
  #callLua(name: string, values: (string | number)[]): string | undefined {
    try {
      return this.ports.lua?.callFunction(name, values, this.luaHost);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.report('error', 'LUA_ERROR', `Lua function failed: ${error.message}`);
      return undefined;
    }
  }

  /** The truth of an expression; undefined when it is broken. */
  evaluateCondition(text: string): boolean | undefined {
    const value = this.evaluateExpression(text);
    return value === undefined ? undefined : isTruthy(value);
  }

  /** Appends the expansion of `source` (expandMacro). */
  expandInto(expansion: Expansion, source: string): void {
    if (!this.#enter(expansion, source.length)) return;
    const isOutermost = expansion.depth === 1 && this.#log.isCurrent(source);
    let at = 0;
    while (!expansion.failed) {
      const percent = source.indexOf('%', at);
      if (percent < 0) {
        expansion.out += at === 0 ? source : source.slice(at);
        break;
      }
      if (percent > at) expansion.out += source.slice(at, percent);
      at = percent + 1;
      if (at >= source.length || source.charCodeAt(at) === 37) {
        expansion.out += '%';
        at += 1;
        continue;
      }
      if (isOutermost) this.#log.offset = percent;
      at = this.#expandCall(expansion, source, at);
      this.#limit(expansion, outputLimit(expansion.out.length));
    }
    this.#leave(expansion);
  }

  /** The expansion of `source` on its own, in the same scope (expandThis). A failure spreads to `expansion`. */
  expandPart(expansion: Expansion, source: string): { readonly text: string; readonly failed: boolean } {
    const part: Expansion = { ...expansion, out: '', failed: false };
    this.expandInto(part, source);
    if (part.failed) expansion.failed = true;
    return { text: part.out, failed: part.failed };
  }

  /** Expands one macro (doMacro); `words` are its name and arguments; `rest` takes what a raw built-in consumed. */
  callEntry(
    expansion: Expansion,
    entry: MacroEntry,
    words: readonly string[] | undefined,
    rest?: { consumed: number },
  ): void {
    const { entry: outerEntry, words: outerWords } = expansion;
    if (entry.builtin !== undefined) callBuiltin(entry.builtin, { context: this, expansion, words, rest });
    else if (entry.literal) {
      this.#limit(expansion, this.#limits.scan(entry.body.length));
      expansion.out += entry.body;
    } else if (entry.body !== '') {
      this.#log.stack.push(entry);
      if (words !== undefined) pushArguments(this, expansion, entry, words);
      this.expandInto(expansion, entry.body);
      if (words !== undefined) popArguments(this, expansion);
      this.#log.stack.pop();
    }
    expansion.entry = outerEntry;
    expansion.words = outerWords;
  }

  /** Runs `action` so that expansions it starts go on at the depth and scope of `expansion` (Lua, expressions). */
  within<T>(expansion: Expansion, action: () => T): T {
    const [depth, level] = [this.#depth, this.#level];
    [this.#depth, this.#level] = [expansion.depth, expansion.level];
    try {
      return action();
    } finally {
      [this.#depth, this.#level] = [depth, level];
    }
  }

  fail(expansion: Expansion, code: string, message: string, hint?: string): void {
    this.report('error', code, message, hint);
    expansion.failed = true;
  }

  report(severity: Severity, code: string, message: string, hint?: string): void {
    this.#log.report(severity, code, message, hint);
  }

  /** The place of the outermost macro call that is being expanded. */
  location(): SourceLocation | undefined {
    return this.#log.location();
  }

  readFile(path: string): string | undefined {
    const text = this.ports.readFile?.(path);
    if (text !== undefined) this.readFiles.add(path);
    return text;
  }

  exists(path: string): boolean {
    return this.ports.exists?.(path) ?? this.readFile(path) !== undefined;
  }

  /** The trimmed output of a command; a diagnostic and undefined without an answer. */
  shell(command: string): string | undefined {
    this.shellCommands.add(command);
    const output = this.ports.shell?.(command);
    // rpm keeps it as a C string.
    if (output !== undefined) return trimEolEnd(output.split('\0', 1)[0]!);
    const hint = 'Record the answer of this command, or define the macro without %(…).';
    this.report('error', 'SHELL_NO_ANSWER', `no recorded answer for the command: ${command}`, hint);
    return undefined;
  }

  #run(text: string, origin: TextOrigin | undefined): Expansion {
    const expansion = newExpansion(this.#depth, this.#level);
    if (this.#depth > 0 || origin === undefined) {
      if (text.includes('%')) this.expandInto(expansion, text);
      else expansion.out = text;
      return expansion;
    }
    this.outermost.length = 0;
    this.#log.begin(text, origin);
    this.expandInto(expansion, text);
    return expansion;
  }

  #enter(expansion: Expansion, length: number): boolean {
    const limit = this.#limits.enter(expansion.depth, length);
    if (limit === 'recursion') {
      const message = 'too many levels of recursion in macro expansion';
      this.fail(expansion, 'MACRO_RECURSION', message, 'Look for a macro whose body calls itself.');
    } else this.#limit(expansion, limit);
    if (limit !== undefined) return false;
    expansion.depth += 1;
    return true;
  }

  #leave(expansion: Expansion): void {
    expansion.depth -= 1;
    this.#limits.leave();
  }

  /** Fails when a limit is passed. */
  #limit(expansion: Expansion, passed: string | undefined): void {
    if (passed === undefined) return;
    const hint = 'Look for definitions that double themselves.';
    this.fail(expansion, 'MACRO_LIMIT', `macro expansion stopped: ${passed}`, hint);
  }

  /** Expands the call whose `%` stands before `start`; gives the offset to go on from. */
  #expandCall(expansion: Expansion, source: string, start: number): number {
    const end = findMacroEnd(source, start);
    this.#limit(expansion, this.#limits.scan((end < 0 ? source.length : end) - start));
    if (end < 0) {
      const text = source.slice(start, source.indexOf('\n', start) < 0 ? undefined : source.indexOf('\n', start));
      const hint = `Close the bracket, or write %% for a plain percent sign.`;
      this.fail(expansion, 'MACRO_UNTERMINATED', `unterminated ${source[start]}: %${text}`, hint);
      return start;
    }
    const first = source.charCodeAt(start);
    if (first === 40) return this.#expandShell(expansion, source.slice(start + 1, end - 1), end);
    if (first === 91) return this.#expandExpression(expansion, source.slice(start + 1, end - 1), end);
    const call = readMacroCall(source, start, end);
    const { nameStart, nameEnd, negated, checked, hasText, goOn } = call;
    if (nameEnd <= nameStart) {
      expansion.out += '%';
      return goOn;
    }

    const entry = this.#lookup(expansion, source.slice(nameStart, nameEnd));
    if (checked || source.charCodeAt(nameStart) === 45) {
      if ((entry === undefined) !== negated) return end;
      if (hasText && nameEnd + 1 < end - 1) this.expandInto(expansion, source.slice(nameEnd + 1, end - 1));
      else if (entry !== undefined) this.callEntry(expansion, entry, undefined);
      return end;
    }
    if (entry === undefined) {
      expansion.out += '%';
      return goOn;
    }
    if (entry.options === undefined && entry.builtin === undefined) {
      this.callEntry(expansion, entry, undefined);
      return end;
    }
    return this.#callWithWords(expansion, entry, source, call);
  }

  #callWithWords(expansion: Expansion, entry: MacroEntry, source: string, call: MacroCall): number {
    if (entry.builtin?.raw === true && !call.braced) {
      const rest = { consumed: 0 };
      this.callEntry(expansion, entry, [entry.name, source.slice(call.end)], rest);
      return call.end + rest.consumed;
    }
    const { words, next } = readWords(this, expansion, { entry, source, call });
    this.#limit(expansion, wordLimit(words.length));
    // rpm calls it even with broken arguments; what comes of it is lost, but may be exponentially long.
    if (!expansion.failed) this.callEntry(expansion, entry, words);
    return next;
  }

  #lookup(expansion: Expansion, name: string): MacroEntry | undefined {
    const entry = this.table.get(name);
    if (entry === undefined) {
      if (isDefinableName(name)) this.missingNames.add(name);
      return undefined;
    }
    if (entry.automatic && expansion.level > entry.level) return undefined;
    entry.used = true;
    if (!entry.automatic) {
      this.usedNames.add(name);
      if (expansion.depth === 1) this.outermost.push(entry);
    }
    return entry;
  }

  #expandShell(expansion: Expansion, command: string, end: number): number {
    const { text, failed } = this.expandPart(expansion, command);
    if (failed) return end;
    expansion.out += this.shell(text) ?? '';
    return end;
  }

  #expandExpression(expansion: Expansion, text: string, end: number): number {
    const evaluate = (): ExpressionValue | undefined => this.evaluateExpression(text, { expand: true });
    const value = this.dialect.expressionsKeepScope ? this.within(expansion, evaluate) : evaluate();
    if (value === undefined) expansion.failed = true;
    else expansion.out += formatExpressionValue(value);
    return end;
  }
}

/** Whether a definition could ever give this name a value; not so for `1` or `-p*`. */
function isDefinableName(name: string): boolean {
  return isAlpha(name.charCodeAt(0)) || name.charCodeAt(0) === 95;
}
