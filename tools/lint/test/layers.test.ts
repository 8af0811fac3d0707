/** The import table is complete, has no cycle, and is what lint and the package manifests follow. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ESLint } from 'eslint';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { layers, packageName } from '../layers.mjs';

const root = resolve(import.meta.dirname, '../../..');
const table: Record<string, readonly string[]> = layers;
const libraries = readdirSync(join(root, 'libs'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(join(root, 'libs', entry.name)).includes('package.json'))
  .map((entry) => entry.name);

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (library: string) =>
  JSON.parse(readFileSync(join(root, 'libs', library, 'package.json'), 'utf8')) as Manifest;

describe('the import table', () => {
  test('names only libraries that come before', () => {
    const before = new Set<string>();
    for (const [library, allowed] of Object.entries(table)) {
      expect(allowed.filter((name) => !before.has(name))).toEqual([]);
      before.add(library);
    }
  });

  test.each(libraries)('has %s, whose manifest agrees', (library) => {
    expect(Object.keys(table)).toContain(library);
    const { name, dependencies = {} } = manifestOf(library);
    expect(name).toBe(packageName(library));
    const own = Object.keys(dependencies).filter((dependency) => dependency.startsWith('@kiln/'));
    const allowed = table[library]!.map(packageName);
    expect(own.filter((dependency) => !allowed.includes(dependency))).toEqual([]);
  });

  test.each(libraries)('%s declares exactly the packages that its sources import', (library) => {
    const { name, dependencies = {} } = manifestOf(library);
    const imported = importedPackages(join(root, 'libs', library, 'src'));
    imported.delete(name);
    const declared = { ...dependencies, ...(manifestOf(library) as { peerDependencies?: object }).peerDependencies };
    expect([...imported].filter((dependency) => !(dependency in declared))).toEqual([]);
    const own = Object.keys(dependencies).filter((dependency) => dependency.startsWith('@kiln/'));
    expect(own.filter((dependency) => !imported.has(dependency))).toEqual([]);
  });
});

describe('lint', () => {
  let eslint: ESLint;
  beforeAll(() => {
    eslint = new ESLint({ cwd: root });
  });
  test.each([
    ['diagnostics', `import { readFileSync } from 'node:fs'; readFileSync('x');`, 'no-restricted-imports'],
    ['diagnostics', `import { readFileSync } from 'fs'; readFileSync('x');`, 'no-restricted-imports'],
    ['diagnostics', `import { readFile } from 'node:fs/promises'; void readFile('x');`, 'no-restricted-imports'],
    ['diagnostics', `import { vercmp } from '@kiln/rpm-package'; vercmp('1', '2');`, 'no-restricted-imports'],
    ['rpm-package', `import { kilns } from '@kiln/kilns'; kilns();`, 'no-restricted-imports'],
    ['rpm-package', `import { x } from '@kiln/diagnostics/src/x.ts'; x();`, 'no-restricted-imports'],
    ['rpm-package', `import { x } from '../../diagnostics/src/index.ts'; x();`, 'no-restricted-imports'],
    ['rpm-package', `import { x } from './vercmp.js'; x();`, 'no-restricted-imports'],
    ['store', `import { spawn } from 'node:child_process'; spawn('x');`, 'no-restricted-imports'],
    ['store', `import { logger } from '@nx/devkit'; logger.info('x');`, 'no-restricted-imports'],
    ['diagnostics', `export const now = Date.now();`, 'no-restricted-properties'],
    ['diagnostics', `export const home = process.env['HOME'];`, 'no-restricted-globals'],
    ['diagnostics', `export const page = fetch('x');`, 'no-restricted-globals'],
    ['diagnostics', `export * from './suggest.ts';`, 'no-restricted-syntax'],
    ['diagnostics', `export default 1;`, 'no-restricted-syntax'],
    ['diagnostics', `export enum E { a }`, 'no-restricted-syntax'],
    ['host', `const later = async () => 1; later();`, '@typescript-eslint/no-floating-promises'],
  ])('in %s refuses %s', async (library, code, rule) => {
    const [result] = await eslint.lintText(code, { filePath: join(root, 'libs', library, 'src', 'index.ts') });
    expect(result!.messages.map((message) => message.ruleId)).toContain(rule);
  });

  test.each([
    ['build-identity', `import { createHash } from 'node:crypto'; createHash('sha256');`],
    ['store', `import { readFile } from 'node:fs/promises'; void readFile('x');`],
    ['store', `import { createHost } from '@kiln/host'; createHost();`],
    ['host', `import { spawn } from 'node:child_process'; spawn('x');`],
  ])('in %s accepts %s', async (library, code) => {
    const [result] = await eslint.lintText(code, { filePath: join(root, 'libs', library, 'src', 'index.ts') });
    expect(result!.messages.map((message) => message.ruleId)).toEqual([]);
  });
});

function importedPackages(directory: string): Set<string> {
  const found = new Set<string>();
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue;
    const text = readFileSync(join(directory, entry), 'utf8');
    for (const { fileName: specifier } of ts.preProcessFile(text).importedFiles) {
      if (specifier.startsWith('node:') || specifier.startsWith('.')) continue;
      found.add(
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    }
  }
  return found;
}
