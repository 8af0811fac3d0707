import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readElf } from '@kiln/build-identity';
import { checkFile, lineTablePaths, ruledFile, type RuleContext } from '@kiln/package-build';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-rules-'));
  writeFileSync(
    join(directory, 'main.c'),
    '#include <stdio.h>\n#include <math.h>\nint main(int n, char **v) { return puts(*v) + (int)pow(n, n); }\n',
  );
  const gcc = (...args: string[]) =>
    execFileSync('gcc', ['-g', 'main.c', '-Wl,-z,relro,-z,now', ...args, '-lm'], { cwd: directory });
  gcc('-o', 'dwarf5', '-gdwarf-5');
  gcc('-o', 'dwarf4', '-gdwarf-4');
  gcc('-o', 'rpath', '-Wl,-rpath,/opt/lib');
  gcc('-o', 'origin', '-Wl,-rpath,$ORIGIN/plugins');
  gcc('-o', 'upwards', '-Wl,-rpath,$ORIGIN/../../home');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, path = `/usr/bin/${name}`, bytes: Uint8Array = readFileSync(join(directory, name))) =>
  ruledFile('one', { entry: { path, mode: 0o100755 } as never, bytes });

const everything: RuleContext = {
  hasLibrary: () => true,
  hasHeader: () => true,
  architecture: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
  compilerFlags: [],
};
const codes = (found: readonly { code: string }[]) => found.map(({ code }) => code);

test.each(['dwarf5', 'dwarf4'])('line tables of %s name the headers, as readelf does', (name) => {
  const bytes = readFileSync(join(directory, name));
  const paths = lineTablePaths(bytes, readElf(bytes)!);
  expect(paths).toContain('/usr/include/stdio.h');
  const dump = execFileSync('readelf', ['--debug-dump=rawline', join(directory, name)], { encoding: 'utf8' });
  for (const path of paths) expect(dump).toContain(path.slice(path.lastIndexOf('/') + 1));
});

test('a foreign library and a foreign header are found', () => {
  const offer: RuleContext = {
    ...everything,
    hasLibrary: (capability) => !capability.startsWith('libm.so.6'),
    hasHeader: (path) => !path.endsWith('/stdio.h'),
  };
  const found = checkFile(file('dwarf5'), offer);
  expect(codes(found)).toEqual(['ELF_NEEDED_FOREIGN', 'HEADER_FOREIGN']);
  expect(found[0]!.message).toMatch(/libm\.so\.6\(\)\(64bit\)/);
  expect(found[1]!.message).toContain('/usr/include/stdio.h');
  expect(checkFile(file('dwarf5'), everything)).toEqual([]);
});

test('run paths, multiarch directories and build paths are found', () => {
  expect(codes(checkFile(file('rpath'), everything))).toEqual(['ELF_RUN_PATH']);
  expect(codes(checkFile(file('upwards'), everything))).toEqual(['ELF_RUN_PATH']);
  expect(checkFile(file('origin'), everything)).toEqual([]);
  expect(codes(checkFile(file('dwarf5', '/usr/lib/x86_64-linux-gnu/one'), everything))).toEqual(['MULTIARCH_PATH']);
  const text = Buffer.from('prefix=/usr/src/kiln/BUILDROOT/one-1-1.x86_64/usr\n');
  expect(codes(checkFile(file('one.pc', '/usr/lib/pkgconfig/one.pc', text), everything))).toEqual([
    'BUILD_PATH_INSIDE',
  ]);
});
