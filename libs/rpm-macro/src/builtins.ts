/** The built-in macros (the table builtinmacros, rpmio/macro.c) and what each of them does. */
import { isEol } from './characters.ts';
import { define, isValidName } from './define.ts';
import type { RpmVersion } from './dialect.ts';
import { DIALECTS } from './dialect.ts';
import { formatExpressionValue } from './expression.ts';
import type { Expansion } from './expansion.ts';
import type { MacroContext } from './macro.ts';
import { LEVEL } from './macro-table.ts';
import { joinQuoted } from './quoted-words.ts';
import { urlPath } from './url-path.ts';

export interface BuiltinCall {
  readonly context: MacroContext;
  readonly expansion: Expansion;
  readonly name: string;
  /** The first argument; empty when there is none. */
  readonly argument: string;
  /** The name and all arguments; undefined when the macro is called without any, as in `%{?name}`. */
  readonly words: readonly string[] | undefined;
  /** For a raw built-in without braces: takes the number of characters that it consumed behind its name. */
  readonly rest: { consumed: number } | undefined;
}

export interface Builtin {
  readonly name: string;
  /** 0: takes no argument, 1: needs one, -1: either. */
  readonly arity: 0 | 1 | -1;
  /** Its argument is neither expanded nor split (ME_PARSE). */
  readonly raw?: boolean;
  readonly run: (call: BuiltinCall) => void;
}

/** Value built-ins: argument to text. */
const VALUES: Readonly<Record<string, (argument: string, call: BuiltinCall) => string | undefined>> = {
  basename: (argument) => argument.slice(argument.lastIndexOf('/') + 1),
  dirname: (argument) => (argument.includes('/') ? argument.slice(0, argument.lastIndexOf('/')) : argument),
  exists: (argument, { context }) => (context.exists(argument) ? '1' : '0'),
  getenv: (argument, { context }) => context.ports.environment?.(argument),
  quote: (_argument, { words }) => joinQuoted((words ?? []).slice(1)),
  shescape: (argument) => `'${argument.replaceAll("'", "'\\''")}'`,
  shrink: (argument) => argument.replace(/[ \t-\r]+/g, ' ').replace(/^ | $/g, ''),
  suffix: (argument) => (argument.includes('.') ? argument.slice(argument.lastIndexOf('.') + 1) : undefined),
  u2p: (argument) => urlPath(argument) || '/',
  url2path: (argument) => urlPath(argument) || '/',
};

const CONSTANTS: Readonly<Record<string, (version: RpmVersion) => string>> = {
  getconfdir: () => '/usr/lib/rpm',
  // The size of the machine must not reach a package, so it is a fixed number.
  getncpus: () => '4',
  rpmversion: (version) => DIALECTS[version].version,
};

const OUTPUTS = { echo: 'note', warn: 'warning', error: 'error' } as const;

const made = new Map<RpmVersion, readonly Builtin[]>();

/** The built-in macros of a version of rpm. */
export function builtinsOf(version: RpmVersion): readonly Builtin[] {
  let builtins = made.get(version);
  if (builtins === undefined) {
    const { missingBuiltins } = DIALECTS[version];
    builtins = makeBuiltins(version).filter(({ name }) => !missingBuiltins.includes(name));
    made.set(version, builtins);
  }
  return builtins;
}

/** Calls one, when it gets as many arguments as it wants; `words` are its name and arguments. */
export function callBuiltin(builtin: Builtin, call: Omit<BuiltinCall, 'name' | 'argument'>): void {
  const { context, expansion, words } = call;
  const given = words !== undefined && words.length > 1;
  if (builtin.arity >= 0 && (builtin.arity !== 0) !== given) {
    const message = `%${builtin.name}: ${given ? 'unexpected argument' : 'argument expected'}`;
    context.fail(expansion, 'MACRO_ARGUMENT', message, given ? undefined : `Write %{${builtin.name}:…}.`);
    return;
  }
  builtin.run({ ...call, name: builtin.name, argument: words?.[1] ?? '' });
}

function makeBuiltins(version: RpmVersion): Builtin[] {
  return [
    ...Object.entries(VALUES).map(([name, value]): Builtin => ({
      name,
      arity: 1,
      run: (call) => {
        call.expansion.out += value(call.argument, call) ?? '';
      },
    })),
    ...Object.entries(CONSTANTS).map(([name, value]): Builtin => ({
      name,
      arity: 0,
      run: ({ expansion }) => {
        expansion.out += value(version);
      },
    })),
    ...Object.keys(OUTPUTS).map((name): Builtin => ({ name, arity: 1, run: runOutput })),
    { name: 'P', arity: 1, run: (call) => call.context.expandInto(call.expansion, `%PATCH${call.argument}`) },
    { name: 'S', arity: 1, run: (call) => call.context.expandInto(call.expansion, `%SOURCE${call.argument}`) },
    { name: 'define', arity: 1, raw: true, run: (call) => runDefine(call, call.expansion.level, false) },
    { name: 'dnl', arity: 1, raw: true, run: runDnl },
    { name: 'dump', arity: 0, run: runDump },
    { name: 'expand', arity: 1, run: ({ context, expansion, argument }) => context.expandInto(expansion, argument) },
    { name: 'expr', arity: 1, run: runExpr },
    { name: 'global', arity: 1, raw: true, run: (call) => runDefine(call, LEVEL.global, true) },
    { name: 'load', arity: 1, run: runLoad },
    { name: 'lua', arity: 1, raw: true, run: runLua },
    { name: 'macrobody', arity: 1, run: runMacroBody },
    { name: 'trace', arity: 0, run: () => undefined },
    { name: 'uncompress', arity: 1, run: runUncompress },
    { name: 'undefine', arity: 1, run: runUndefine },
    { name: 'verbose', arity: -1, raw: true, run: runVerbose },
  ];
}

function runDefine({ context, expansion, words, rest }: BuiltinCall, level: number, expandBody: boolean): void {
  const text = (words ?? []).slice(1, 3).join(' ');
  const consumed = define(context, expansion, text, { level, expandBody, wholeText: rest === undefined });
  if (rest !== undefined) rest.consumed = consumed;
}

function runDnl({ argument, rest }: BuiltinCall): void {
  if (rest === undefined) return;
  let end = 0;
  while (end < argument.length && !isEol(argument.charCodeAt(end))) end += 1;
  rest.consumed = end < argument.length ? end + 1 : end;
}

function runDump({ context }: BuiltinCall): void {
  const entries = [...context.table.entries().values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const lines = entries.map(({ level, used, name, options, body }) => {
    const description = options === undefined || options === '' ? '' : `(${options})`;
    return `${String(level).padStart(3)}${used ? '=' : ':'} ${name}${description}${body === '' ? '' : `\t${body}`}`;
  });
  context.report('note', 'MACRO_DUMP', lines.join('\n'));
}

function runExpr({ context, expansion, argument }: BuiltinCall): void {
  const value = context.evaluateExpression(argument);
  if (value === undefined) expansion.failed = true;
  else expansion.out += formatExpressionValue(value);
}

function runLoad({ context, expansion, argument }: BuiltinCall): void {
  if (context.loadMacroPath(argument)) return;
  context.fail(expansion, 'MACRO_FILE', `failed to load macro file ${argument}`);
}

function runLua({ context, expansion, argument }: BuiltinCall): void {
  const { lua } = context.ports;
  if (lua === undefined) {
    context.fail(expansion, 'LUA_MISSING', '%{lua:…} needs a Lua interpreter', 'Pass a Lua port to the evaluation.');
    return;
  }
  const { entry, words } = expansion;
  try {
    expansion.out += context.within(expansion, () =>
      lua.run(argument, { name: entry?.name, options: entry?.options, words }, context.luaHost),
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    context.fail(expansion, 'LUA_ERROR', `Lua script failed: ${error.message}`);
  }
}

function runMacroBody({ context, expansion, argument }: BuiltinCall): void {
  if (argument === '') return;
  const entry = context.table.get(argument);
  if (entry === undefined) context.fail(expansion, 'MACRO_UNKNOWN', `no such macro: ${argument}`);
  else {
    context.usedNames.add(argument);
    expansion.out += entry.body;
  }
}

function runOutput({ context, expansion, name, argument }: BuiltinCall): void {
  const severity = OUTPUTS[name as keyof typeof OUTPUTS];
  context.report(severity, severity === 'error' ? 'MACRO_ERROR' : 'MACRO_MESSAGE', argument);
  if (severity === 'error') expansion.failed = true;
}

function runUncompress({ context, expansion, argument }: BuiltinCall): void {
  if (argument === '') return;
  context.expandInto(expansion, '%__rpmuncompress ');
  expansion.out += argument;
}

function runUndefine({ context, expansion, argument }: BuiltinCall): void {
  if (isValidName(context, expansion, argument, '%undefine')) context.pop(argument);
}

/** Expansion is never verbose, so that a package does not depend on how much somebody wants to read. */
function runVerbose({ expansion, words, rest }: BuiltinCall): void {
  if (rest !== undefined || words === undefined || words.length < 2) expansion.out += '0';
}
