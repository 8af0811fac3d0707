import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { walkTree } from '@kiln/store';
import { foreignTraces } from '@kiln/toolchain';

let root: string;

beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'kiln-traces-'))));
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, content: string | { readonly copyOf: string }): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  if (typeof content === 'string') writeFileSync(join(root, path), content);
  else copyFileSync(content.copyOf, join(root, path));
}

const traces = () => foreignTraces(root, walkTree(root)).map(({ message }) => message);

test('text that only the host has is found in any file', () => {
  put('usr/lib/pkgconfig/a.pc', 'Libs: -L/usr/lib/x86_64-linux-gnu/ -la\n');
  put('usr/lib/crt1.o', 'x\0GCC: (Debian 12.2.0-14) 12.2.0\0');
  put('usr/share/clean', 'x86_64-kiln-linux-gnu, a Debian package\n');
  put('usr/share/prose', 'of ppc64el (Debian naming), a defect (Debian #837892)\n');
  put('usr/lib/config', 'naming (Debian naming); GNU ld (GNU Binutils for Debian) 2.40\n');
  expect(traces()).toEqual([
    "/usr/lib/config has the mark of Debian's binutils",
    "/usr/lib/crt1.o has the mark of Debian's compiler",
    "/usr/lib/pkgconfig/a.pc has a path of Debian's libraries",
  ]);
});

test('a program needs libraries of its own root', () => {
  put('usr/bin/program', { copyOf: '/bin/true' });
  const lacks = "/usr/bin/program needs libc.so.6, which the root doesn't have";
  expect(traces()).toContain(lacks);
  put('usr/lib/elsewhere/libc.so.6', 'not where the dynamic linker looks');
  expect(traces()).toContain(lacks);
  put('usr/lib/libc.so.6', 'its own');
  expect(traces()).not.toContain(lacks);
});

test('a module may look beside itself, and nowhere else', () => {
  const link = (name: string, runPath: string) => {
    mkdirSync(join(root, 'usr/lib/modules'), { recursive: true });
    writeFileSync(join(root, 'one.c'), 'int one(void) { return 1; }\n');
    execFileSync(
      'gcc',
      ['-shared', '-nostdlib', '-fPIC', '-Wl,-soname,libkiln-one.so', '-o', 'libkiln-one.so', 'one.c'],
      { cwd: root },
    );
    const args = ['-shared', '-nostdlib', '-o', `usr/lib/modules/${name}`, './libkiln-one.so', `-Wl,-rpath,${runPath}`];
    execFileSync('gcc', ['-Wl,-soname,module', '-Wl,--no-as-needed', ...args], { cwd: root });
    rmSync(join(root, 'one.c'));
    rmSync(join(root, 'libkiln-one.so'));
  };
  link('own.so', '$ORIGIN');
  link('other.so', '/opt');
  const lacks = (name: string) => `/usr/lib/modules/${name} needs libkiln-one.so, which the root doesn't have`;
  const found = () => traces().filter((message) => !message.includes('Debian'));
  expect(found()).toEqual([
    lacks('other.so'),
    '/usr/lib/modules/other.so looks for libraries in /opt',
    lacks('own.so'),
  ]);
  put('usr/lib/modules/libkiln-one.so', 'beside it');
  expect(found()).toEqual([lacks('other.so'), '/usr/lib/modules/other.so looks for libraries in /opt']);
});
