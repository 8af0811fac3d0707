/** The definitions that fuzzed macro texts play with: one of every kind. rpm and the evaluator read the same text. */
import type { MacroEnvironment } from '@kiln/rpm-macro';

export const MACRO_FILE = String.raw`# definitions for generated texts
%nil %{!?nil}
%one 1
%two %{one}2
%word quark
%words quark beta  gamma
%num 42
%neg -7
%str "quoted"
%ver 1.0~rc1
%path /usr/lib/a.b/c.tar.gz
%url http://host.example/dir/file.tgz?x=1
%blank %{nil}
%pct 100%%
%lazy <%{later}>
%loop %{loop}
%ping %{pong}
%pong %{ping}
%brace {a}
%multi first\
second\
third
%long %{one
}%{two}
%eager %{expand:%%{one}}
%__rpmuncompress uncompress
%SOURCE0 /src/a.tar.gz
%SOURCE1 /src/b.tar.gz
%PATCH0 /src/p.patch
%with() %{expand:%%{?with_%{1}:1}%%{!?with_%{1}:0}}
%with_x 1
%args() [%0|%#|%*|%**|%1|%2|%{3}|%{?4:%4}]
%opts(ab:c) [%{-a}|%{-a:A}|%{!-a:noA}|%{-b}|%{-b*}|%{-b:B%{-b*}}|%{-c:C}|%*|%#]
%optional(a::b) [%{-a}|%{-a*}|%{-b}|%*]
%plain(-) [%*|%#|%1]
%early(+ab:) [%{-a}|%{-b*}|%*]
%scoped(x) %define inner %1%{-x:X}%{inner}|%{?inner}
%global_in() %global made %1%{nil}%{made}
%nested() %args %1 %*;
%outer() %args %1
%outest() <%{args x}|%2>
%twice() %{expand:%*}%{expand:%1}
%lu() %{lua: for i, v in ipairs(arg) do print(i .. "=" .. v .. ";") end}
%luo(ab:) %{lua: print((opt.a or "-") .. "/" .. (opt.b or "-") .. "/" .. #arg)}
%luret() %{lua: return rpm.expand("%1")}
`;

/** A probe that is expanded after each text: what the text left defined. */
export const PROBE_NAMES = ['foo', 'bar', 'baz', 'one', 'two', 'word', 'made', 'inner', 'later', 'args'] as const;
export const PROBE = PROBE_NAMES.map((name) => `%{?${name}:${name}=%{macrobody:${name}}}`).join('\n');

/** The environment of the evaluator's side. */
export function fuzzMacroEnvironment(): MacroEnvironment {
  return {
    rpmVersion: '4.18',
    targetArch: 'x86_64',
    files: [{ file: 'fuzz', text: MACRO_FILE }],
    targetMacros: {},
    defines: {},
  };
}
