import { createMacroContext, type LuaPort, type MacroContext } from '@kiln/rpm-macro';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { beforeEach, describe, expect, it } from 'vitest';

const lua: LuaPort = await createLuaPort();
let context: MacroContext;

beforeEach(() => {
  lua.reset();
  const modules: Readonly<Record<string, string>> = {
    '/usr/lib/rpm/lua/site/greet.lua': 'local m = {} function m.hi(who) return "hi " .. who end return m',
  };
  context = createMacroContext({ ports: { lua, readFile: (path) => modules[path] } });
});

describe('%{lua:}', () => {
  it.each([
    ['print joins with tabs and ends no line', '%{lua: print(1, "a") print(nil)}', '1\tanil'],
    ['returned values are printed', '%{lua: return 1 + 1}', '2'],
    ['opt and arg', '%define f(ab:) %{lua: print(opt.b, opt.a, #arg, arg[1])}\n%f -b 3 x y', '3\tnil\t2\tx'],
    ['expansion nests', '%{lua: print(rpm.expand("%{_arch}%{lua: print(7)}"))}', 'x86_647'],
    ['an argument that is not there stays', '%{lua: print(rpm.expand("%{1}"))}', '%{1}'],
    ['rpm.define with options', '%{lua: rpm.define("g(x:) <%{-x*}>")}%g -x 4', '<4>'],
    [
      'rpm.isdefined',
      '%define f() x\n%{lua: print(rpm.isdefined("f"), rpm.isdefined("_arch"), rpm.isdefined("nope"))}',
      'true\ttrue\tfalse\tfalse',
    ],
    [
      'macros as a table',
      '%{lua: macros.v = "1" print(macros._arch, macros.basename("/a/b"), macros.nope)}%v',
      'x86_64\tb\tnil1',
    ],
    ['macros with ready-made words', '%define f() [%1|%2]\n%{lua: print(macros.f({"a b", "c"}))}', '[a b|c]'],
    [
      'versions',
      '%{lua: print(rpm.vercmp("1.0~rc1", "1.0"), rpm.ver("1:2-3").r, rpm.ver("1") < rpm.ver("2"))}',
      '-1\t3\ttrue',
    ],
    ['words', '%{lua: local w = rpm.splitargs("a b") print(#w, w[2])}', '2\tb'],
    ['base64', '%{lua: print(rpm.b64decode(rpm.b64encode("héllo")))}', 'héllo'],
    ['modules of the distribution', '%{lua: print(require("site.greet").hi("you"))}', 'hi you'],
    ['globals outlive a script', '%{lua: n = 1}%{lua: n = n + 1 print(n)}', '2'],
    ['in expressions', '%[lua:tostring(3) + "x"]', '3x'],
  ])('%s', (_name, text, expected) => {
    expect(context.expand(text, { file: 'x', line: 1 })).toBe(expected);
    expect(context.diagnostics).toEqual([]);
  });

  it.each([
    ['%{lua: x x}', 'syntax error'],
    ['%{lua: error("boom")}', 'boom'],
    ['%{lua: os.exit(1)}', 'os.exit is not available'],
    ['%{lua: os.time()}', 'the clock is not available'],
    ['%{lua: posix.fork()}', 'posix.fork is not available'],
    ['%[lua:nosuch(1)]', 'no such function'],
  ])('%s is an error', (text, message) => {
    expect(context.tryExpand(text, { file: 'x', line: 1 })).toBeUndefined();
    expect(context.diagnostics.map((diagnostic) => diagnostic.message).join('\n')).toContain(message);
  });

  it('asks the shell port for what only the host knows', () => {
    context.expand('%{lua: print(posix.uname("%r"))}');
    expect([...context.shellCommands]).toEqual(['uname -r']);
  });

  it('keeps written files to itself', () => {
    const text =
      '%{lua: local f = io.open("/tmp/x", "w") f:write("a\\n") f:close() print(io.open("/tmp/x"):read("a"))}';
    expect(context.expand(text)).toBe('a\n');
    expect([...context.readFiles]).toEqual([]);
  });

  it('forgets everything with reset', () => {
    context.expand('%{lua: leak = 1 string.leak = 1 macros.x = 1}');
    lua.reset();
    expect(context.expand('%{lua: print(leak, string.leak)}')).toBe('nil\tnil');
  });
});
