/** Specs that would hang, crash or fill the memory: each ends, and whether with a result is what the second list says. */
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { expect, test } from 'vitest';
import { evaluateSpec, type EvaluatedSpec } from '../src/index.ts';

const lua = await createLuaPort();
/** Asked for by every spec of these tests; a port that answers for ever would hide that nobody counts. */
const MAX_COMMANDS = 10;

function evaluate(lines: string, output = ''): EvaluatedSpec {
  const text = `Name: a\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\n${lines}\n%description\n`;
  let commands = 0;
  const shell = (): string => {
    commands += 1;
    if (commands > MAX_COMMANDS) throw new Error('too many commands');
    return output;
  };
  return evaluateSpec({ file: '/x/a.spec', text, ports: { lua, shell, readFile: () => text } });
}

/** Definitions d0 to d39, each of which holds the one before twice. */
const doubling = (body: (name: string) => string): string =>
  Array.from({ length: 40 }, (_, i) => `%define d${i} ${i === 0 ? '1' : body(`d${i - 1}`)}`).join('\n');
const numbered = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('');

test.each([
  ['a script without end', '%{lua:while true do end}', /runs for too long/],
  ['a script that catches its end', '%{lua:while true do pcall(function() while true do end end) end}', /too long/],
  ['a script that repeats a text', '%{lua:print(string.rep("x", 1 << 30))}', /not enough memory/],
  ['a script that doubles a text', '%{lua:local s = "x" while true do s = s .. s end}', /not enough memory|too long/],
  ['a script that calls itself', '%{lua:local function f() return f() + 1 end f()}', /overflow/],
  ['a script that expands without end', '%{lua:while true do rpm.expand("%_lib") end}', /ask for too much|stopped/],
  ['a script that defines without end', '%{lua:while true do rpm.define("a 1") end}', /ask for too much/],
  ['a script that expands its own macro', '%define l() %{lua:rpm.expand("%l")}\n%l', /recursion/],
  ['definitions that double themselves', `${doubling((name) => `%${name}%${name}`)}\n%{d39}`, /expansion stopped/],
  ['definitions that double nothing', `${doubling((name) => `%{?no}%${name}%${name}`)}\n%{d39}`, /expansion stopped/],
  [
    'expressions that double',
    `${doubling((name) => `%[%${name} && %${name}]`)}\n%if %d39\n%endif`,
    /stopped|recursion/,
  ],
  ['eager definitions that double', `%global a x\n${'%global a %a%a\n'.repeat(60)}`, /expansion stopped/],
  ['arguments that double themselves', '%define q() %q %* %*\n%q x', /expansion stopped|recursion/],
  ['arguments that double in two calls', '%define q() %{?1:%{q %* %*}%{q %* %*}}\n%q x', /expansion stopped|recursion/],
  ['a macro that calls itself', '%define r %r\n%r', /recursion/],
  ['two macros that call each other', '%define r %{?s}\n%define s %{?r}\n%r', /recursion/],
  ['a file that includes itself', '%include /x/a.spec', /too many open files/],
  ['thousands of errors in one line', 'x\\\n'.repeat(20_000), /unknown tag/],
  ['thousands of unknown tags', 'foo: x\n'.repeat(20_000), /unknown tag/],
  ['a deep expression', `%if ${'('.repeat(50_000)}1`, /nested too deeply/],
  ['a deep rich dependency', `Requires: ${'(a and '.repeat(50_000)}a`, /nested too deeply/],
  ['a deep call', `%{?name:${'%{?name:'.repeat(100)}x${'}'.repeat(101)}`, /recursion/],
  ['brackets in brackets', `# ${'%{x:'.repeat(20_000)}${'}'.repeat(20_000)}`, /characters of macros/],
  ['very many arguments', `%define p() %#\nGroup: %{p ${'a '.repeat(60_000)}}`, /more than 50000 arguments/],
  ['a bracket that is never closed', `%{?x: ${'a\n'.repeat(200_000)}`, /unclosed macro/],
  ['a mark of byte order', '\ufeffURL: x', /unknown tag/],
])('%s ends with an error', (_name, lines, message) => {
  const { sourcePackage, diagnostics } = evaluate(lines);
  expect(sourcePackage).toBeUndefined();
  expect(diagnostics.map((diagnostic) => diagnostic.message).join('\n')).toMatch(message);
  expect(diagnostics.length).toBeLessThan(200);
});

test.each([
  ['a long line', `# ${'x'.repeat(10_000_000)}`],
  ['a long line of macros', `# ${'%x'.repeat(500_000)}`],
  ['a long line of percent signs', `# ${'%'.repeat(4_000_001)}`],
  ['a long line of exclamation marks', `# %${'!'.repeat(500_000)}{a}`],
  ['many names in one tag', `Requires: ${numbered(50_000, (i) => `a${i} `)}`],
  ['many tags', numbered(50_000, (i) => `Requires: a${i} >= 1\n`)],
  ['a long rich dependency', `Requires: (x${numbered(50_000, (i) => ` and a${i}`)})`],
  ['many sources', 'Source: a\n'.repeat(10_000)],
  ['many warnings in one line', '%{warn:x}'.repeat(50_000)],
  ['many warnings', '%{warn:x}\n'.repeat(50_000)],
  ['many definitions of a name', '%define a 1\n'.repeat(50_000)],
  ['a long path', `%global _sourcedir ${'/a/../'.repeat(100_000)}\nSource0: x`],
  ['blanks in a body', `%define a x${' '.repeat(500_000)}y`],
  ['blanks in a changelog', `%changelog\n* Mon Jan 01 2024 A${' '.repeat(500_000)}\n- a\n%files`],
  ['many conditions', `${'%if 1\n'.repeat(50_000)}${'%endif\n'.repeat(50_000)}`],
  ['a long expression', `%if ${'1+'.repeat(200_000)}1\n%endif`],
  ['line ends of another system', '\r\nGroup: g\r\n'.repeat(1)],
  ['bytes of zero', 'Group: a\0b\n\0\n'],
])('%s is read', (_name, lines) => {
  expect(evaluate(lines).sourcePackage?.name).toBe('a');
});

test('line ends inside the output of a command', () => {
  expect(evaluate('Group: %(x)', `${'\n'.repeat(1_000_000)}x${' \n'.repeat(10)}`).diagnostics.length).toBeLessThan(200);
});

test('many triggers of one package', () => {
  const triggers = numbered(10_000, (i) => `%triggerin -- a${i}\n`);
  expect(evaluate(`%description\nx\n${triggers}%files`).sourcePackage?.packages[0]?.triggers).toHaveLength(10_000);
});
