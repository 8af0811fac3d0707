import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createMacroContext } from '@kiln/rpm-macro';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type DistroConfig } from '../src/distro-config.ts';
import { readDistroConfig } from '../src/read-distro-config.ts';
import { evaluationPorts } from '../src/evaluate-package.ts';
import { evaluateTree } from '../src/evaluate-tree.ts';
import { macroEnvironment, readMacroFiles } from '../src/macro-files.ts';

let root = '';
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'kiln-macro-files-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Writes distro.json with these macro files, and reads it. */
function configOf(macros: DistroConfig['macros'], architecture = 'x86_64'): DistroConfig {
  const config: DistroConfig = {
    ...{ name: 'test', version: '1', architecture, specRoots: ['SPECS'], imageDirectory: 'images', macros },
    ...{ defines: {}, sources: { debianLock: 'debian.lock' }, provides: 'provides' },
    toolchain: { provider: 'debian', packages: 'packages.json', lock: 'lock.json' },
  };
  put('toolkit/distro.json', JSON.stringify(config));
  return readDistroConfig(root);
}

async function expand(config: DistroConfig, text: string): Promise<string> {
  const macroFiles = readMacroFiles(root, config);
  const ports = evaluationPorts({ root, macroFiles, answers: new Map(), lua: await createLuaPort() });
  return createMacroContext({ environment: macroEnvironment(config, macroFiles), ports }).expand(text);
}

it('reads macro files in their order: additional ones, the platform, the main one', async () => {
  put('b/macros.one', '%first b\n%_lib additional\n%_libdir additional\n');
  put('a/macros.one', '%first a\n');
  put('main', '%_libdir main\n');
  const config = configOf({ main: 'main', additional: ['b/macros.one', 'a/macros.one'] });
  expect(await expand(config, '%first %_lib %_libdir')).toBe('a lib64 main');
  const slots = readMacroFiles(root, config).map(({ slot }) => slot);
  expect(slots).toEqual(['macros.d/macros.000-macros.one', 'macros.d/macros.001-macros.one', 'debian/macros']);
  expect(slots.slice(0, 2)).toEqual(slots.slice(0, 2).sort());
});

it.each([
  ['x86_64', '-O3 more'],
  ['aarch64', '-Os'],
])('takes optflags of %s from rpmrc', async (architecture, expected) => {
  put('main', '%more more\n');
  put('rpmrc', 'include: /usr/lib/rpm/rpmrc\noptflags: x86_64 -O3 %{more}\noptflags: aarch64 -Os\n');
  const config = configOf({ main: 'main', additional: [], rpmrc: 'rpmrc' }, architecture);
  expect(await expand(config, '%optflags')).toBe(expected);
  expect(readMacroFiles(root, config).at(-1)).toMatchObject({ file: 'rpmrc', slot: 'debian/rpmrc' });
});

it('finds Lua modules by their names, also from one another', async () => {
  put('main', '%greet() %{lua: print(require("vendor.srpm.greet").text(arg[1]))}\n');
  put('lua/greet.lua', 'local c = require("vendor.common")\nreturn {text = function(n) return c.hello .. n end}\n');
  put('lua/common.lua', 'return {hello = "hello "}\n');
  const luaModules = { 'vendor.srpm.greet': 'lua/greet.lua', 'vendor.common': 'lua/common.lua' };
  const config = configOf({ main: 'main', additional: [], luaModules });
  expect(await expand(config, '%greet world')).toBe('hello world');
  expect(readMacroFiles(root, config).map(({ slot }) => slot)).toContain('lua/vendor/srpm/greet.lua');
});

it('evaluates those specs again that read a changed Lua module, and gives it to Nx as an input', async () => {
  const spec = (name: string, body: string) =>
    put(
      `SPECS/${name}.spec`,
      `Name: ${name}\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\n${body}\n%description\nx\n%files\n`,
    );
  spec('reader', 'Provides: %{lua: print((require("vendor.name")))}');
  spec('other', 'Provides: other-capability');
  put('main', '');
  const config = configOf({ main: 'main', additional: [], luaModules: { 'vendor.name': 'lua/name.lua' } });
  const evaluate = async () => {
    const macroFiles = readMacroFiles(root, config);
    const environment = macroEnvironment(config, macroFiles);
    const cacheFile = join(root, 'cache');
    return evaluateTree({ root, config, macroFiles, environment, answers: new Map(), cacheFile });
  };
  put('lua/name.lua', 'return "before"\n');
  expect((await evaluate()).evaluated).toHaveLength(2);
  expect((await evaluate()).evaluated).toEqual([]);
  put('lua/name.lua', 'return "after"\n');
  const { packages, evaluated } = await evaluate();
  expect(evaluated).toEqual(['SPECS/reader.spec']);
  const reader = packages.find(({ id }) => id === 'reader')!;
  expect(reader.sourcePackage!.packages[0]!.provides.map(({ name }) => name)).toContain('after');
  expect(reader.inputs).toContain('lua/name.lua');
});

it.each([
  [{ rpmrc: '../rpmrc' }, /the path '\.\.\/rpmrc' leaves the workspace/],
  [{ luaModules: { a: '/etc/a.lua' } }, /the path '\/etc\/a\.lua' leaves the workspace/],
  [{ luaModules: { '../a': 'a.lua' } }, /has the unknown member '\.\.\/a'/],
])('refuses %j', (more, message) => {
  put('main', '');
  expect(() => configOf({ main: 'main', additional: [], ...more })).toThrow(message);
});

it('names a module that is not there', () => {
  put('main', '');
  const config = configOf({ main: 'main', additional: [], luaModules: { a: 'lua/a.lua' } });
  expect(() => readMacroFiles(root, config)).toThrow(
    expect.objectContaining({ code: 'MACRO_FILE_MISSING', message: "the macro file lua/a.lua can't be read" }),
  );
});

it('reads macro files of build roots after all others there, and never when specs are read', async () => {
  put('main', '%name main\n');
  put('a/macros.one', '%name one\n');
  put('later/macros.tool', '%name tool\n%tool tool\n');
  const config = configOf({ main: 'main', additional: ['a/macros.one'], inBuildRoots: ['later/macros.tool'] });
  expect(await expand(config, '%name %{?tool}.')).toBe('main .');
  const slots = readMacroFiles(root, config).map(({ slot }) => slot);
  expect(slots).toEqual(['macros.d/macros.000-macros.one', 'debian/macros', 'macros.d/macros.root-000-macros.tool']);
});

it('puts scripts where macros name them', () => {
  put('main', '');
  put('scripts/run.sh', '#!/bin/sh\n');
  const config = configOf({ main: 'main', additional: [], files: { 'vendor/run.sh': 'scripts/run.sh' } });
  expect(readMacroFiles(root, config).at(-1)).toMatchObject({ file: 'scripts/run.sh', slot: 'vendor/run.sh' });
  const outside = () => configOf({ main: 'main', additional: [], files: { '../run.sh': 'scripts/run.sh' } });
  expect(outside).toThrow(/files/);
});

it('wants the requirements of the toolchain that tries specs, and of no other', () => {
  const config = configOf({ main: 'main', additional: [] });
  const requirements = { stated: 'stated.json', lock: 'full.lock.json' };
  const write = (toolchain: object) => () => {
    put('toolkit/distro.json', JSON.stringify({ ...config, toolchain: { ...config.toolchain, ...toolchain } }));
    return readDistroConfig(root).toolchain.provider;
  };
  expect(write({ provider: 'debian-full', requirements })()).toBe('debian-full');
  expect(write({ provider: 'debian-full' })).toThrow("needs 'requirements' in 'toolchain'");
  expect(write({ requirements })).toThrow("the provider 'debian' takes no 'requirements' in 'toolchain'");
});
