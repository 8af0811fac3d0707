/** Runs the examples of the libraries' READMEs: what they print must be what the comment behind says. */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import * as diagnostics from '@kiln/diagnostics';
import * as rpmMacro from '@kiln/rpm-macro';
import * as lua from '@kiln/rpm-macro/lua';
import * as rpmPackage from '@kiln/rpm-package';
import * as rpmSpec from '@kiln/rpm-spec';
import { describe, expect, it } from 'vitest';

const MODULES: Readonly<Record<string, unknown>> = {
  '@kiln/diagnostics': diagnostics,
  '@kiln/rpm-macro': rpmMacro,
  '@kiln/rpm-macro/lua': lua,
  '@kiln/rpm-package': rpmPackage,
  '@kiln/rpm-spec': rpmSpec,
};

type Example = (modules: typeof MODULES, print: (...values: unknown[]) => void) => Promise<void>;
const AsyncFunction = (async () => undefined).constructor as new (...parts: string[]) => Example;

function examplesOf(library: string): string[] {
  const text = readFileSync(new URL(`../../../libs/${library}/README.md`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1]!);
}

/** Imports become look-ups, and an expression with a comment behind it is printed. */
function runnable(code: string): string {
  return code
    .replace(
      /^import (\{[^}]*\}) from '([^']*)';$/gm,
      (_line, names: string, module: string) => `const ${names} = modules['${module}'];`,
    )
    .replace(/console\.log\(/g, 'print(')
    .replace(/^(?!print|const)(.+); \/\/ /gm, 'print($1); // ');
}

describe.each(['rpm-macro', 'rpm-spec', 'rpm-package'])('README of %s', (library) => {
  it.each(examplesOf(library).map((code, index) => [index + 1, code] as const))('example %i', async (_number, code) => {
    const printed: string[] = [];
    const print = (...values: unknown[]): void =>
      void printed.push(values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' '));
    await new AsyncFunction('modules', 'print', runnable(code))(MODULES, print);
    const expected = [...code.matchAll(/; \/\/ (.*)$/gm)].map((match) => match[1]!);
    expect(expected.length).toBeGreaterThan(0);
    expect(printed.map((line) => line.trim())).toEqual(expected.map((line) => line.trim()));
  });
});
