import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTree } from '@nx/devkit/testing';
import { readJson, type Tree } from '@nx/devkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readDistroConfig } from '@kiln/distribution';
import { init, type InitOptions } from '../src/generators/init/generator.ts';

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../src/generators/init/schema.json'), 'utf8')) as {
  properties: Record<string, unknown>;
};
let tree: Tree;
let top = '';

afterEach(() => rmSync(top, { recursive: true }));
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'kiln-init-'));
  tree = createTree();
  tree.write('SPECS/sed/sed.spec', '');
  tree.write('SPECS-EXTENDED/awk/awk.spec', '');
  tree.write('SPECS/macros-of-us/macros', '');
  tree.write('SPECS/macros-of-us/macros.perl', '');
  tree.write('SPECS/macros-of-us/README', '');
});

function snapshot(): Record<string, string> {
  return Object.fromEntries(tree.listChanges().map(({ path, content }) => [path, content?.toString() ?? '']));
}

it('adds everything that a workspace needs', () => {
  init(tree, { name: 'ours 3.0', macros: 'SPECS/macros-of-us/', define: ['dist=.o1', 'a=b=c'] });
  mkdirSync(join(top, 'toolkit'));
  writeFileSync(join(top, 'toolkit/distro.json'), tree.read('toolkit/distro.json')!);
  expect(readDistroConfig(top)).toMatchObject({
    name: 'ours',
    version: '3.0',
    specRoots: ['SPECS', 'SPECS-EXTENDED'],
    macros: { main: 'SPECS/macros-of-us/macros', additional: ['SPECS/macros-of-us/macros.perl'] },
    defines: { dist: '.o1', a: 'b=c' },
  });
  expect(readJson(tree, 'nx.json')).toMatchObject({ analytics: false, plugins: [{ plugin: '@kiln/nx' }] });
  expect(readJson(tree, 'toolkit/toolchain/debian-bookworm.lock.json')).toBeTypeOf('object');
  expect(tree.read('.gitignore', 'utf8')).toBe('node_modules/\ndist/\n.nx/\n');
  expect(tree.exists('package.json')).toBe(true);
});

it('changes nothing when it is run again, with other options too', () => {
  init(tree, {});
  const before = snapshot();
  init(tree, { name: 'other', architecture: 'aarch64' });
  expect(snapshot()).toEqual(before);
});

it('keeps what is there', () => {
  tree.write('toolkit/distro.json', '{}');
  tree.write('nx.json', JSON.stringify({ analytics: true, parallel: 7, plugins: ['other', '@kiln/nx'] }));
  tree.write('.gitignore', 'mine\n/dist');
  tree.write('package.json', '{"name":"theirs"}');
  init(tree, {});
  expect(tree.read('toolkit/distro.json', 'utf8')).toBe('{}');
  expect(readJson(tree, 'nx.json')).toMatchObject({ analytics: true, parallel: 7, plugins: ['other', '@kiln/nx'] });
  expect(tree.read('.gitignore', 'utf8')).toBe('mine\n/dist\nnode_modules/\n.nx/\n');
  expect(readJson(tree, 'package.json')).toEqual({ name: 'theirs' });
});

it('gives targets other names', () => {
  init(tree, { target: ['rpm=build-rpm'] });
  expect(readJson(tree, 'nx.json')).toMatchObject({
    plugins: [{ plugin: '@kiln/nx', options: { targetNames: { rpm: 'build-rpm' } } }],
  });
});

it.each<[InitOptions, string]>([
  [{ specRoots: ['NONE'] }, 'SPEC_ROOTS_MISSING'],
  [{ macros: 'SPECS/sed' }, 'INIT_OPTION_INVALID'],
  [{ define: ['dist'] }, 'INIT_OPTION_INVALID'],
  [{ target: ['rmp=x'] }, 'TARGET_NAME_INVALID'],
])('%j is refused before anything is written', (options, code) => {
  const before = snapshot();
  expect(() => init(tree, options)).toThrowError(expect.objectContaining({ code }) as Error);
  expect(snapshot()).toEqual(before);
});

it('its schema describes its options', () => {
  const options: Record<keyof InitOptions, true> = {
    name: true,
    architecture: true,
    specRoots: true,
    macros: true,
    define: true,
    imageDirectory: true,
    target: true,
  };
  expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(options).sort());
});
