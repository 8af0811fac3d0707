import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readElf } from '@kiln/build-identity';
import { checkFile, ruledFile, type RuleContext } from '@kiln/package-build';

let directory: string;
const SAFE = ['-Wl,-z,relro,-z,now'];
const FLAGS = ['-fstack-protector-strong', '-fstack-clash-protection'];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-hardening-'));
  writeFileSync(join(directory, 'main.c'), 'int main(void) { return 0; }\n');
  writeFileSync(join(directory, 'text.s'), '.globl f\n.text\nf: .quad g\n.globl g\ng: ret\n');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const context: RuleContext = {
  hasLibrary: () => true,
  hasHeader: () => true,
  architecture: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
  compilerFlags: [],
};

/** Compiles, and returns the file as one of a package. */
function made(args: readonly string[], path = '/usr/bin/one') {
  execFileSync('gcc', [...args, '-o', 'out'], { cwd: directory, stdio: ['ignore', 'ignore', 'ignore'] });
  return ruledFile('one', {
    entry: { path, mode: 0o100755 } as never,
    bytes: readFileSync(join(directory, 'out')),
  });
}

const codesOf = (args: readonly string[], path?: string, flags: readonly string[] = []) =>
  checkFile(made(args, path), { ...context, compilerFlags: flags }).map(({ code }) => code);

test('a hardened program has no finding, and readelf says the same of it', () => {
  expect(codesOf(['main.c', ...SAFE])).toEqual([]);
  const dump = execFileSync('readelf', ['-lW', '-d', join(directory, 'out')], { encoding: 'utf8' });
  expect(dump).toMatch(/GNU_RELRO/);
  expect(dump).toMatch(/FLAGS_1.*NOW PIE/);
  expect(readElf(readFileSync(join(directory, 'out')))!.hardening).toEqual({
    dynamic: true,
    positionIndependent: true,
    relocationsReadOnly: true,
    bindNow: true,
    executableStack: false,
    textRelocations: false,
  });
});

test.each([
  ['ELF_NOT_PIE', ['main.c', '-no-pie', ...SAFE]],
  ['ELF_NOT_PIE', ['main.c', '-static', '-no-pie']],
  ['ELF_NO_RELRO', ['main.c', '-Wl,-z,norelro,-z,now']],
  ['ELF_LAZY_BINDING', ['main.c', '-Wl,-z,relro,-z,lazy']],
  ['ELF_EXECUTABLE_STACK', ['main.c', '-Wl,-z,execstack', ...SAFE]],
  ['ELF_TEXT_RELOCATIONS', ['text.s', '-shared', '-Wl,-z,notext', ...SAFE]],
])('%s is found', (code, args) => {
  expect(codesOf(args)).toContain(code);
});

test.each(['/boot/one', '/usr/lib/modules/6.12/one.ko', '/usr/lib/debug/usr/bin/one.debug'])(
  'code that no program loads is left alone: %s',
  (path) => expect(codesOf(['main.c', '-no-pie', '-Wl,-z,norelro,-z,lazy'], path)).toEqual([]),
);

test('code compiled without the flags of the distribution is found by its debug information', () => {
  const path = '/usr/lib/debug/usr/bin/one.debug';
  expect(codesOf(['-g', 'main.c', ...FLAGS], path, FLAGS)).toEqual([]);
  const [finding] = checkFile(made(['-g', 'main.c', FLAGS[0]!], path), { ...context, compilerFlags: FLAGS });
  expect(finding).toMatchObject({ code: 'COMPILER_FLAGS_IGNORED', path });
  expect(finding!.message).toMatch(/compiled without -fstack-clash-protection: GNU C\d+ \d/);
});

test.each([
  [['-fno-stack-protector'], '-fno-stack-protector instead of -fstack-protector-strong'],
  [['-fstack-protector'], '-fstack-protector instead of -fstack-protector-strong'],
  [['-fcf-protection=none'], '-fcf-protection=none instead of -fcf-protection=full'],
  [['-fcf-protection=branch'], '-fcf-protection=branch instead of -fcf-protection=full'],
  [['-fno-stack-clash-protection'], '-fno-stack-clash-protection instead of -fstack-clash-protection'],
])('a flag that %j takes back or weakens is found', (later, message) => {
  const wanted = [...FLAGS, '-fcf-protection=full'];
  const path = '/usr/lib/debug/one';
  const [finding] = checkFile(made(['-g', 'main.c', ...wanted, ...later], path), { ...context, compilerFlags: wanted });
  expect(finding?.message).toContain(`has code compiled with ${message}: GNU C`);
  expect(codesOf(['-g', 'main.c', ...later, ...wanted, '-fstack-protector-all'], path, wanted)).toEqual([]);
});
