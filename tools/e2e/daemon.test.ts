/** The graph is the same with and without Nx's daemon, right after an edit of anything that it is made from. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-daemon-'));
  cpSync(join(REPOSITORY, 'toolkit'), join(root, 'toolkit'), { recursive: true });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  write('package.json', JSON.stringify({ name: 'daemon', private: true }));
  write('.gitignore', 'node_modules\n.nx\ndist\n');
  const config = { analytics: false, neverConnectToCloud: true, cacheDirectory: '.nx/cache', tui: { enabled: false } };
  const plugins = [{ plugin: join(REPOSITORY, 'libs/nx-plugin/plugin.cjs') }];
  write('nx.json', JSON.stringify({ ...config, plugins }));
  edit('toolkit/distro.json', (text) => JSON.stringify({ ...(JSON.parse(text) as object), specRoots: ['SPECS'] }));
  spec('first');
});

afterAll(() => {
  nx(['daemon', '--stop'], true);
  rmSync(root, { recursive: true, force: true });
});

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
});
