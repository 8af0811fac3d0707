/** The outside world of macro expansion: nothing of it is reached but through these functions. */

/** What a Lua script may ask of the macros around it. */
export interface LuaHost {
  /** Expands a text; undefined when that fails. */
  expand(text: string): string | undefined;
  /** `name body` or `name(options) body`, as after %define, at the global level; false when it is broken. */
  define(text: string): boolean;
  undefine(name: string): void;
  isDefined(name: string): boolean;
  isParametric(name: string): boolean;
  /** Calls a macro with ready-made arguments; undefined when there is no such macro. */
  call(name: string, words: readonly string[]): string | undefined;
  load(path: string): boolean;
  /** The value as text; undefined when the expression is broken. */
  evaluateExpression(text: string): string | undefined;
  readFile(path: string): string | undefined;
  exists(path: string): boolean;
  environment(name: string): string | undefined;
  shell(command: string): string | undefined;
}

/** The macro in whose body a script stands. */
export interface LuaCall {
  readonly name: string | undefined;
  /** The getopt description of that macro. */
  readonly options: string | undefined;
  /** Its words: the name, then the arguments. */
  readonly words: readonly string[] | undefined;
}

/** A Lua state that outlives the single script: globals of one script are visible in the next. */
export interface LuaPort {
  /** Forgets what scripts have left behind; an evaluation starts with it. */
  reset(): void;
  /** Runs a script; what it prints is the result. Throws an Error with Lua's message when it fails. */
  run(script: string, call: LuaCall, host: LuaHost): string;
  /** Calls a global function (dotted name) with strings and integers and gives its result as text. */
  callFunction(name: string, values: readonly (string | number)[], host: LuaHost): string;
  /** Undefined when the script compiles, else Lua's message. */
  check(script: string): string | undefined;
  /** The lists `sources`, `patches`, `source_nums`, `patch_nums`: emptied at the start of a spec, then appended. */
  setSpecLists(lists: () => SpecLists): void;
}

/** Paths and numbers in the order of their tags. */
export interface SpecLists {
  readonly sources: readonly { readonly path: string; readonly number: number }[];
  readonly patches: readonly { readonly path: string; readonly number: number }[];
}

/** Each port is optional; a macro that needs a missing one is reported, never answered from the host. */
export interface MacroPorts {
  /** The standard output of a shell command, untrimmed; undefined when the answer is not known. */
  readonly shell?: (command: string) => string | undefined;
  /** The text of a file; undefined when there is none. */
  readonly readFile?: (path: string) => string | undefined;
  /** Whether a file exists, for %{exists:}; without it readFile decides. */
  readonly exists?: (path: string) => boolean;
  /** An environment variable, for %{getenv:}. */
  readonly environment?: (name: string) => string | undefined;
  readonly lua?: LuaPort;
}
