/** What Lua scripts may ask of a macro context. */
import { formatExpressionValue } from './expression.ts';
import type { MacroContext } from './macro.ts';
import type { LuaHost } from './ports.ts';

/** The door of scripts to a context: nothing but its macros and its ports. */
export function makeLuaHost(context: MacroContext): LuaHost {
  return {
    expand: (text) => context.tryExpand(text),
    define: (text) => context.define(text),
    undefine: (name) => context.pop(name),
    isDefined: (name) => context.isDefined(name),
    isParametric: (name) => context.table.get(name)?.options !== undefined,
    call: (name, words) => context.callMacro(name, words),
    load: (path) => context.loadMacroPath(path),
    evaluateExpression: (text) => {
      const value = context.evaluateExpression(text);
      return value === undefined ? undefined : formatExpressionValue(value);
    },
    readFile: (path) => context.readFile(path),
    exists: (path) => context.exists(path),
    environment: (name) => context.ports.environment?.(name),
    shell: (command) => context.shell(command),
  };
}
