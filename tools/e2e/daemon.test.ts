/** The graph is the same with and without Nx's daemon, right after an edit of anything that it is made from. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-daemon-'));
  cpSync(join(REPOSITORY, 'toolkit'), join(root, 'toolkit'), { recursive: true });
  rmSync(join(root, 'toolkit/packages.json'), { force: true });
  copyKiln();
  write('package.json', JSON.stringify({ name: 'daemon', private: true }));
  write('.gitignore', 'node_modules\n.nx\ndist\n');
  const config = { analytics: false, neverConnectToCloud: true, cacheDirectory: '.nx/cache', tui: { enabled: false } };
  const plugins = [{ plugin: './libs/nx-plugin/plugin.cjs' }];
  write('nx.json', JSON.stringify({ ...config, plugins }));
  edit('toolkit/distro.json', (text) => JSON.stringify({ ...(JSON.parse(text) as object), specRoots: ['SPECS'] }));
  spec('first');
});

afterAll(() => {
  nx(['daemon', '--stop'], true);
  rmSync(root, { recursive: true, force: true });
});

/** The libraries as copies that can be edited, all other packages as links. */
function copyKiln(): void {
  const [modules, libraries] = [join(REPOSITORY, 'node_modules'), join(REPOSITORY, 'libs')];
  mkdirSync(join(root, 'node_modules/@kiln'), { recursive: true });
  for (const name of readdirSync(modules))
    if (name !== '@kiln' && name !== '.bin') symlinkSync(join(modules, name), join(root, 'node_modules', name));
  cpSync(join(libraries, 'source-loader.cjs'), join(root, 'libs/source-loader.cjs'));
  for (const name of readdirSync(join(modules, '@kiln'))) {
    const source = realpathSync(join(modules, '@kiln', name));
    const copy = join(root, 'libs', relative(libraries, source));
    cpSync(source, copy, { recursive: true, filter: (path) => !/\/(node_modules|dist|test)$/.test(path) });
    symlinkSync(copy, join(root, 'node_modules/@kiln', name));
    if (existsSync(join(source, 'node_modules'))) symlinkSync(join(source, 'node_modules'), join(copy, 'node_modules'));
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function edit(file: string, change: (text: string) => string): void {
  write(file, change(readFileSync(join(root, file), 'utf8')));
}

function spec(name: string): void {
  const tags = 'Version: 1\nRelease: 1\nLicense: MIT\n';
  write(`SPECS/${name}/${name}.spec`, `Name: ${name}\n${tags}Summary: It is %{?colour}\n%description\nx\n%files\n`);
}

function nx(args: readonly string[], daemon: boolean): string {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(REPOSITORY, 'node_modules/nx/dist/bin/nx.js'), ...args],
    { cwd: root, encoding: 'utf8', env: { ...process.env, NX_DAEMON: String(daemon), CI: undefined } },
  );
  if (status !== 0) throw new Error(`nx ${args.join(' ')} failed: ${stderr}${stdout}`);
  return stdout;
}

/** What the projects say of themselves, as both see them. */
function summary(project: string): string {
  const [with_, without] = [true, false].map((daemon) => nx(['show', 'project', project, '--json'], daemon));
  expect(with_).toBe(without);
  return (JSON.parse(with_!) as { metadata: { description: string } }).metadata.description;
}

test('with the daemon and without it', { timeout: 300_000 }, () => {
  expect(summary('first/first')).toBe('It is');
  edit('SPECS/first/first.spec', (text) => text.replace('It is', 'Now it is'));
  expect(summary('first/first')).toBe('Now it is');
  const { macros } = JSON.parse(readFileSync(join(root, 'toolkit/distro.json'), 'utf8')) as {
    macros: { main: string };
  };
  edit(macros.main, (text) => `${text}\n%colour red\n`);
  expect(summary('first/first')).toBe('Now it is red');
  edit('toolkit/distro.json', (text) => {
    const config = JSON.parse(text) as { defines: object };
    return JSON.stringify({ ...config, defines: { ...config.defines, colour: 'blue' } });
  });
  expect(summary('first/first')).toBe('Now it is blue');
  spec('second');
  expect(summary('second/second')).toBe('It is blue');
  // Kiln's own code: how a project describes itself.
  edit('libs/nx-plugin/src/project-configurations.ts', (text) =>
    text.replace('one.sourcePackage?.summary', '`${one.sourcePackage?.summary} indeed`'),
  );
  expect(summary('second/second')).toBe('It is blue indeed');
});
