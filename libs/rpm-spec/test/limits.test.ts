import { createLuaPort } from '@kiln/rpm-macro/lua';
import { expect, test } from 'vitest';
import { evaluateSpec, type EvaluatedSpec } from '../src/index.ts';

const lua = await createLuaPort();

function evaluate(lines: string): EvaluatedSpec {
  const text = `Name: a\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\n${lines}\n%description\n`;
  return evaluateSpec({ file: '/x/a.spec', text, ports: { lua, shell: () => '', readFile: () => text } });
}

const doubled = Array.from({ length: 40 }, (_, i) => `%define d${i} ${i === 0 ? 'x' : `%d${i - 1}%d${i - 1}`}`);

test.each([
  ['a script without end', '%{lua:while true do end}', /runs for too long/],
  ['a script that catches its end', '%{lua:while true do pcall(function() while true do end end) end}', /too long/],
  ['definitions that double themselves', `${doubled.join('\n')}\n%{d39}`, /expansion stopped/],
  ['arguments that double themselves', '%define q() %q %* %*\n%q x', /expansion stopped/],
  ['a macro that calls itself', '%define r %r\n%r', /recursion/],
  ['a file that includes itself', '%include /x/a.spec', /too many open files/],
  ['thousands of errors in one line', 'x\\\n'.repeat(20_000), /unknown tag/],
  ['a deep expression', `%if ${'('.repeat(50_000)}1`, /nested too deeply/],
  ['a deep rich dependency', `Requires: ${'(a and '.repeat(50_000)}a`, /nested too deeply/],
])('%s ends with an error', (_name, lines, message) => {
  const { sourcePackage, diagnostics } = evaluate(lines);
  expect(sourcePackage).toBeUndefined();
  expect(diagnostics.map((diagnostic) => diagnostic.message).join('\n')).toMatch(message);
  expect(diagnostics.length).toBeLessThan(200);
});
