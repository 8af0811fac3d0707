export { MacroContext, type MacroContextOptions } from './macro.ts';
export type { TextOrigin } from './report-log.ts';
export type { Expansion } from './expansion.ts';
export { createMacroContext, type CreateMacroContextOptions } from './create-macro-context.ts';
export {
  standardEnvironment,
  type MacroEnvironment,
  type MacroFile,
  type StandardEnvironmentOptions,
  type TargetArch,
} from './macro-environment.ts';
export { targetMacros } from './standard/platform.ts';
export { LEVEL, MacroTable, type MacroDefinition, type MacroEntry } from './macro-table.ts';
export { builtinsOf, type Builtin, type BuiltinCall } from './builtins.ts';
export { DIALECTS, type Dialect, type RpmVersion } from './dialect.ts';
export {
  evaluateExpression,
  ExpressionError,
  formatExpressionValue,
  isTruthy,
  type ExpressionOptions,
  type ExpressionValue,
} from './expression.ts';
export { findMacroEnd, matchBracket } from './macro-end.ts';
export { countBrackets, hasOpenBracket, noOpenBrackets, type OpenBrackets } from './bracket-count.ts';
export { readDefinitions, type MacroFileDefinition } from './macro-file.ts';
export {
  isAlnum,
  isAlpha,
  isBlank,
  isDigit,
  isEol,
  isNameCharacter,
  isSpace,
  spaceWords,
  trimSpace,
  trimSpaceEnd,
  trimSpaceStart,
} from './characters.ts';
export type { LuaCall, LuaHost, LuaPort, MacroPorts, SpecLists } from './ports.ts';
export { optflagsOf, parseRpmrc, type RpmrcEntry } from './rpmrc.ts';
