/** Runs the commands of the README's tour, one after the other, in a small tree that looks like the one it is about. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../../..');
const PROGRAMS: Readonly<Record<string, string>> = {
  nx: join(REPOSITORY, 'node_modules/nx/dist/bin/nx.js'),
  kiln: join(REPOSITORY, 'libs/cli/bin/kiln.cjs'),
};

let tree = '';
beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'kiln-tour-'));
  put('SPECS/azurelinux-rpm-macros/macros', '%_vendor azurelinux\n');
  put('SPECS/zlib/zlib.spec', spec('zlib'));
  put('SPECS/curl/curl.spec', spec('curl', 'BuildRequires: zlib'));
  put('SPECS-EXTENDED/aria2/aria2.spec', spec('aria2', 'BuildRequires: curl'));
  symlinkSync(join(REPOSITORY, 'node_modules'), join(tree, 'node_modules'));
  git('init', '--quiet');
  git('add', 'SPECS', 'SPECS-EXTENDED');
  git('-c', 'user.name=T', '-c', 'user.email=t@kiln.example', 'commit', '--quiet', '-m', 'specs');
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

function spec(name: string, more = ''): string {
  return `Name: ${name}\nVersion: 1\nRelease: 1%{?dist}\nSummary: x\nLicense: MIT\n${more}\n%description\nx\n%files\n`;
}

function git(...words: string[]): void {
  const { status, stderr } = spawnSync('git', words, { cwd: tree, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

function commandsOf(section: string): string[] {
  const text = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const part = text.slice(text.indexOf(`## ${section}\n`)).split('\n## ')[0]!;
  const blocks = [...part.matchAll(/^```sh\n([^]*?)^```$/gm)].map((match) => match[1]!.replaceAll('\\\n', ' '));
  return blocks
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter(Boolean);
}

function run(command: string): { readonly status: number | null; readonly text: string } {
  const [npx, program, ...words] = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
  if (npx !== 'npx' || PROGRAMS[program!] === undefined) throw new Error(`the test can't run '${command}'`);
  const env = { ...process.env, NX_DAEMON: 'false', CI: 'true', KILN_STORE: join(tree, 'store') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAMS[program!]!, ...words], {
    cwd: tree,
    encoding: 'utf8',
    env,
  });
  return { status, text: stdout + stderr };
}

it('every command of the tour does what it says', () => {
  const commands = commandsOf('On a checkout of Azure Linux');
  expect(commands.length).toBeGreaterThan(6);
  for (const command of commands) {
    const { status, text } = run(command);
    expect(status, `${command}\n${text}`).toBe(0);
  }
}, 300_000);
