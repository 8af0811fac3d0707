/** `./nx` with stand-ins for npm, node and Nx. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';

const wrapper = join(import.meta.dirname, '../../../nx');
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-nx-'));
  mkdirSync(join(root, 'bin'));
  mkdirSync(join(root, 'deep/er'), { recursive: true });
  copyFileSync(wrapper, join(root, 'nx'));
  writeFileSync(join(root, 'package-lock.json'), '{}');
  program(
    'node',
    '[ "$1" != --version ] || { echo "${NODE_SAYS:-v20.19.0}"; exit; }; echo "node $*" >>"$LOG"; exit "${DOCTOR:-0}"',
  );
  program(
    'npm',
    `echo "npm $*" >>"$LOG"; sleep 0.3; [ -z "\${NPM_FAILS-}" ] || exit 1
     mkdir -p node_modules/.bin; printf '#!/bin/sh\\necho "nx $*"\\n' >node_modules/.bin/nx; chmod +x node_modules/.bin/nx`,
  );
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function program(name: string, body: string): void {
  writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, 'bin', name), 0o755);
}

function start(args: readonly string[], environment: Record<string, string> = {}, cwd = root): ChildProcess {
  const path = `${join(root, 'bin')}:${process.env['PATH']}`;
  return spawn(join(root, 'nx'), args, { cwd, env: { PATH: path, LOG: join(root, 'log'), ...environment } });
}

async function run(args: readonly string[], environment?: Record<string, string>, cwd?: string) {
  const child = start(args, environment, cwd);
  const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
  return { status: child.exitCode, out, err };
}

const log = () => {
  try {
    return readFileSync(join(root, 'log'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
};

test('installs once, says so, and passes its arguments on, from any directory', async () => {
  const first = await run(['show', 'projects'], {}, join(root, 'deep/er'));
  expect(first).toMatchObject({ status: 0, out: 'nx show projects\n' });
  expect(first.err).toContain('first run; installing npm packages');
  const second = await run(['show', 'a b']);
  expect(second).toEqual({ status: 0, out: 'nx show a b\n', err: '' });
  expect(log()).toEqual(['npm ci --no-audit --no-fund --loglevel=error']);
});

test('installs again when the lock has changed, not when it was only touched', async () => {
  await run(['--version']);
  utimesSync(join(root, 'package-lock.json'), new Date(), new Date());
  await run(['--version']);
  expect(log()).toHaveLength(1);
  writeFileSync(join(root, 'package-lock.json'), '{ "a": 1 }');
  expect((await run(['--version'])).err).toContain('package-lock.json has changed');
  expect(log()).toHaveLength(2);
});

test('accepts what npm installed by itself', async () => {
  await run(['--version']);
  writeFileSync(join(root, 'package-lock.json'), '{ "a": 1 }');
  utimesSync(join(root, 'package-lock.json'), new Date(1000), new Date(1000));
  writeFileSync(join(root, 'node_modules/.package-lock.json'), '{}');
  await run(['--version']);
  expect(log()).toHaveLength(1);
});

test('two at once install once', async () => {
  const both = await Promise.all([run(['a']), run(['b'])]);
  expect(both.map(({ status }) => status)).toEqual([0, 0]);
  expect(both.map(({ err }) => err).join('')).toContain('waiting for it');
  expect(log()).toHaveLength(1);
});

test('a failed installation is told and repeated', async () => {
  const failed = await run(['a'], { NPM_FAILS: '1' });
  expect(failed.status).toBe(1);
  expect(failed.err).toMatch(/'npm ci' failed in .*run the same command again/);
  expect((await run(['a'])).status).toBe(0);
});

test('an old Node.js is named', async () => {
  const { status, err } = await run(['a'], { NODE_SAYS: 'v18.20.4' });
  expect(status).toBe(1);
  expect(err).toContain('Node.js v18.20.4 is too old: Kiln needs 20.19 or later');
  expect(log()).toEqual([]);
});

test.each([
  [['image', 'base-container']],
  [['run-many', '-t', 'rpm']],
  [['run-many', '--targets=rpm,image']],
  [['run', 'sed/sed:rpm']],
])('%j looks at the machine once', async (args) => {
  expect((await run(args, { DOCTOR: '1' })).status).toBe(1);
  expect((await run(args)).status).toBe(0);
  expect((await run(args)).status).toBe(0);
  const looked = log().filter((line) => line.includes('doctor --prepare'));
  expect(looked).toHaveLength(2);
});

test('other commands do not look at the machine', async () => {
  await run(['show', 'projects']);
  expect(log().filter((line) => line.startsWith('node '))).toEqual([]);
});
