import { execFileSync, spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildUser, createHost } from '@kiln/host';
import { Store } from '@kiln/store';
import {
  makeWorkDirectory,
  removeWorkDirectory,
  runSandboxed,
  sandboxRequirements,
  type SandboxRequest,
} from '@kiln/sandbox';
import { makeTinyRoot, removeTemporaryDirectories, temporaryDirectory } from './tiny-root.ts';

const host = createHost();
const PATH = '/usr/bin';
let root: string;
let store: Store;

const sh = (script: string, more: Partial<SandboxRequest> = {}) =>
  runSandboxed(host, {
    layers: [root],
    identity: 'builder',
    argv: ['/bin/sh', '-c', script],
    environment: { PATH },
    ...more,
  });

beforeAll(() => {
  root = makeTinyRoot();
  store = new Store(host, temporaryDirectory('store'));
});

afterAll(removeTemporaryDirectories);

describe('isolation', () => {
  it('has no network: only the loopback, and not the machine’s', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const result = await sh(`cat /proc/net/dev; (exec 3<>/dev/tcp/127.0.0.1/${port}) && echo REACHED`);
    server.close();
    expect(result.stdout).toContain('lo:');
    expect(result.stdout.split('\n').filter((line) => line.includes(':'))).toHaveLength(1);
    expect(result.stdout).not.toContain('REACHED');
  });

  it('shows no path of the machine', async () => {
    const result = await sh(`ls / ; ls -d ${root} ${store.directory} ${process.cwd()} /home /root /sys`);
    expect(result.stdout.trim().split('\n').sort()).toEqual(
      ['bin', 'dev', 'etc', 'lib', 'lib64', 'proc', 'run', 'tmp', 'usr', 'var'].sort(),
    );
  });

  it('gives the program no descriptor but the standard three', async () => {
    const result = await sh('for fd in /proc/self/fd/*; do echo ${fd##*/}; done; true');
    expect(
      result.stdout
        .trim()
        .split('\n')
        .filter((fd) => Number(fd) > 2),
    ).toHaveLength(1);
  });

  it('sees only its own processes', async () => {
    const result = await sh('echo /proc/[0-9]*');
    expect(result.stdout.trim().split(' ').length).toBeLessThanOrEqual(3);
  });

  it('has a read-only root', async () => {
    const result = await sh('touch /etc/new; echo x > /etc/passwd; touch /usr/bin/new');
    expect(result.stderr.match(/Read-only file system/g)).toHaveLength(3);
    expect(existsSync(join(root, 'etc/new'))).toBe(false);
  });

  it('writes only to writable mounts and to memory', async () => {
    const work = await makeWorkDirectory(host, store, 'write');
    const fixed = temporaryDirectory('fixed');
    const mounts = [
      { source: work, target: '/build/deep', writable: true },
      { source: fixed, target: '/input', writable: false },
    ];
    const result = await sh('echo one > /build/deep/file; echo two > /tmp/file; echo three > /input/file', { mounts });
    expect(result.stderr).toContain('/input/file: Read-only file system');
    expect(readFileSync(join(work, 'file'), 'utf8')).toBe('one\n');
    expect(statSync(join(work, 'file')).uid).toBe((await buildUser(host)).uid);
    expect(existsSync(join(fixed, 'file'))).toBe(false);
    await removeWorkDirectory(host, work);
    expect(existsSync(work)).toBe(false);
  });

  it('leaves no mount behind', async () => {
    await sh('true');
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toMatch(/kiln/);
  });
});

describe('identity', () => {
  it('is 1000 inside, without capabilities or a way to get some, and not root on the machine', async () => {
    const result = await sh(
      'id -u; id -g; cat /proc/self/uid_map; cat /proc/self/status; unshare --user true; echo $?',
    );
    const lines = result.stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual(['1000', '1000']);
    expect(result.stdout).toMatch(/CapEff:\t0000000000000000/);
    expect(result.stdout).toMatch(/NoNewPrivs:\t1/);
    expect(lines.at(-2)).not.toBe('0');
    expect((await buildUser(host)).uid).not.toBe(0);
  });

  it('is a real other user on the machine', async () => {
    const work = await makeWorkDirectory(host, store, 'uid');
    const mounts = [{ source: work, target: '/build', writable: true }];
    const running = sh('echo up > /build/up; sleep 2; true', { mounts });
    while (!existsSync(join(work, 'up'))) await new Promise((resolve) => setTimeout(resolve, 20));
    const { uid } = await buildUser(host);
    const ours = processes().filter(({ command }) => command === '/bin/sh -c echo up > /build/up; sleep 2; true');
    expect(ours.length).toBeGreaterThan(0);
    expect(new Set(ours.map((one) => one.uid))).toEqual(new Set([uid]));
    await running;
    await removeWorkDirectory(host, work);
  });

  it('root has 65,536 ids, files of several owners, and no administration', async () => {
    const work = await makeWorkDirectory(host, store, 'root');
    const script = `id -u; cat /proc/self/uid_map; cd /build; touch file; chown 65534:12 file; stat -c %u:%g file
      mkdir closed; touch closed/x; chown 5 closed/x; chown 5 closed; unshare --mount true || echo denied`;
    const mounts = [{ source: work, target: '/build', writable: true }];
    const result = await sh(script, { identity: 'root', mounts });
    expect(result.stderr).not.toContain('Operation not permitted\n\n');
    expect(result.stdout).toContain('65534:12');
    expect(result.stdout).toContain('denied');
    const ids = [...result.stdout.matchAll(/^\s+(\d+)\s+(\d+)\s+(\d+)$/gm)].reduce(
      (sum, line) => sum + Number(line[3]),
      0,
    );
    expect(ids).toBe(65_536);
    expect(statSync(join(work, 'file')).uid).toBeGreaterThan(65_536);
    await removeWorkDirectory(host, work);
    expect(existsSync(work)).toBe(false);
  });

  it.each(sandboxRequirements.map((requirement) => [requirement.name, requirement] as const))(
    'this machine has what it takes: %s',
    async (_name, requirement) => {
      expect(await requirement.probe(host)).toMatchObject({ ok: true });
    },
  );
});

describe('composition', () => {
  it('puts earlier layers over later ones', async () => {
    const layers = ['one', 'two'].map((name) => {
      const layer = temporaryDirectory(name);
      mkdirSync(join(layer, 'etc'));
      writeFileSync(join(layer, 'etc/which'), name);
      writeFileSync(join(layer, `etc/${name}`), name);
      return layer;
    });
    const result = await sh('cat /etc/which /etc/one /etc/two; cat /etc/passwd', { layers: [...layers, root] });
    expect(result.stdout).toMatch(/^oneonetworoot:/);
  });

  it('takes hundreds of layers with long paths', async () => {
    const top = join(temporaryDirectory('many'), 'x'.repeat(200));
    const layers = Array.from({ length: 400 }, (_, i) => join(top, `${i}`));
    for (const [i, layer] of layers.entries()) {
      mkdirSync(join(layer, 'list'), { recursive: true });
      writeFileSync(join(layer, 'list', `${i}`), '');
    }
    const result = await sh('ls /list', { layers: [...layers, root] });
    expect(result.stdout.trim().split('\n')).toHaveLength(400);
  });

  it('mounts single files where the root has none', async () => {
    const file = join(temporaryDirectory('file'), 'macros');
    writeFileSync(file, '%dist .x\n');
    const result = await sh('cat /usr/lib/rpm/macros', {
      mounts: [{ source: file, target: '/usr/lib/rpm/macros', writable: false }],
    });
    expect(result.stdout).toBe('%dist .x\n');
  });
});

describe('environment and result', () => {
  it('is exactly what was asked for', async () => {
    const result = await runSandboxed(host, {
      layers: [root],
      identity: 'builder',
      argv: ['/usr/bin/env'],
      environment: { PATH, B: '2 "x"', A: '1' },
      cwd: '/tmp',
    });
    expect(result.stdout.trim().split('\n').sort()).toEqual(['A=1', 'B=2 "x"', `PATH=${PATH}`, 'PWD=/tmp']);
    expect((await sh('hostname')).stdout).toBe('builder\n');
  });

  it('returns status, output, log and lines', async () => {
    const log = join(temporaryDirectory('log'), 'log');
    const lines: string[] = [];
    const result = await sh('echo out; echo err >&2; exit 7', { log, onLine: (line) => lines.push(line) });
    expect(result.status).toBe(7);
    expect(readFileSync(log, 'utf8').split('\n').sort()).toEqual(['', 'err', 'out']);
    expect(lines.sort()).toEqual(['err', 'out']);
  });

  it('says which path is wrong, with a command to paste', async () => {
    const mounts = [{ source: '/does/not/exist', target: '/input', writable: false }];
    await expect(sh('true', { mounts })).rejects.toMatchObject({
      code: 'SANDBOX_FAILED',
      message: expect.stringContaining('/does/not/exist'),
      command: expect.stringContaining('bwrap'),
    });
    await expect(sh('true', { argv: ['/no/such'] })).rejects.toMatchObject({
      code: 'SANDBOX_FAILED',
      message: "the program '/no/such' is not in the root",
    });
    await expect(sh('true', { layers: ['relative'] })).rejects.toMatchObject({ code: 'SANDBOX_REQUEST' });
  });

  it('says that there is no space, whoever noticed first', async () => {
    const script = "echo 'mkdir: cannot create directory: No space left on device' >&2; exit 1";
    await expect(sh(script)).rejects.toMatchObject({ code: 'NO_SPACE', hint: expect.stringContaining('kiln gc') });
  });

  it('gives an interactive program a terminal of its own', async () => {
    const result = await sh('test -t 0 && test -t 1', { interactive: true });
    expect(result.status).toBe(0);
  });
});

describe('bounds', () => {
  it('limits open files, file size and temporary space', async () => {
    const size = await sh('dd if=/dev/zero of=/tmp/big bs=1M count=9', { limits: { fileSizeBytes: 1 << 20 } });
    expect(size.status).not.toBe(0);
    const open = await sh('ulimit -n; ulimit -c', { limits: { openFiles: 64 } });
    expect(open.stdout).toBe('64\n0\n');
    const space = await sh('dd if=/dev/zero of=/tmp/big bs=1M count=9', { limits: { temporaryBytes: 1 << 20 } });
    expect(space.stderr).toContain('No space left on device');
  });

  it('ends everything at the time limit', async () => {
    const started = performance.now();
    const result = await sh('(sleep 60 &) ; sleep 61', { timeoutSeconds: 1 });
    expect(result.timedOut).toBe(true);
    expect(performance.now() - started).toBeLessThan(10_000);
    await gone('sleep 61');
  });

  it('ends everything when interrupted', async () => {
    const interrupt = new AbortController();
    const interrupted = createHost({ signal: interrupt.signal });
    const run = runSandboxed(interrupted, {
      layers: [root],
      identity: 'builder',
      argv: ['/bin/sh', '-c', '(sleep 71 &); sleep 72'],
      environment: { PATH },
    });
    setTimeout(() => interrupt.abort(), 500);
    await expect(run).rejects.toThrow();
    await gone('sleep 71');
    await gone('sleep 72');
  });

  it('ends everything when Kiln itself is killed', async () => {
    const child = runFixture('sleeper.ts', [root], {});
    await waitFor(() => sleepers().includes('sleep 81'));
    child.kill('SIGKILL');
    await gone('sleep 81');
  });
});

describe('users', () => {
  it('works the same for an ordinary user', async () => {
    const name = `kiln-test-${process.pid}`;
    const isRoot = process.getuid?.() === 0;
    if (isRoot) execFileSync('useradd', ['--no-create-home', '--shell', '/bin/sh', name]);
    try {
      const ids = isRoot ? execFileSync('id', ['-u', name], { encoding: 'utf8' }).trim() : undefined;
      const options = ids === undefined ? {} : { uid: Number(ids), gid: Number(ids) };
      const home = temporaryDirectory('home');
      chmodSync(home, 0o777);
      const child = runFixture('ordinary-user.ts', [root, home], options);
      let output = '';
      child.stdout.on('data', (chunk) => (output += chunk));
      child.stderr.on('data', (chunk) => (output += chunk));
      const [status] = (await once(child, 'close')) as [number];
      expect(output, 'the checkout must be readable for other users').toContain(
        'builder: 1000 wrote\nroot: 65534:7\nremoved',
      );
      expect(status).toBe(0);
    } finally {
      if (isRoot) execFileSync('userdel', [name]);
    }
  });

  it('says when the build user can not reach the store', async () => {
    if (process.getuid?.() !== 0) {
      const closed = join(temporaryDirectory('closed'), 'inner');
      mkdirSync(closed);
      chmodSync(dirname(closed), 0o000);
      await expect(makeWorkDirectory(host, new Store(host, closed), 'x')).rejects.toThrow();
      chmodSync(dirname(closed), 0o755);
      return;
    }
    const closed = temporaryDirectory('closed');
    chmodSync(closed, 0o700);
    await expect(makeWorkDirectory(host, new Store(host, join(closed, 'store')), 'x')).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
    });
  });

  it('does not follow links out of a work directory when it removes it', async () => {
    const work = await makeWorkDirectory(host, store, 'links');
    const kept = temporaryDirectory('kept');
    writeFileSync(join(kept, 'file'), '');
    symlinkSync(kept, join(work, 'link'));
    await removeWorkDirectory(host, work);
    expect(existsSync(join(kept, 'file'))).toBe(true);
  });
});

function runFixture(name: string, args: readonly string[], options: { uid?: number; gid?: number }) {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'fixtures', name);
  return spawn(process.execPath, ['--conditions=development', '--import', 'tsx', script, ...args], {
    ...options,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** What runs on this machine, zombies left out. From /proc: a minimal Debian has no `ps`. */
function processes(): { uid: number; command: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
      if (/^State:\tZ/m.test(status)) return [];
      return [{ uid: Number(/^Uid:\t\d+\t(\d+)/m.exec(status)![1]), command }];
    } catch {
      return []; // It has ended in the meantime.
    }
  });
}

function sleepers(): string {
  return processes()
    .map(({ command }) => command)
    .filter((command) => / sleep \d+$/.test(` ${command}`))
    .join('\n');
}

function gone(command: string): Promise<void> {
  return waitFor(() => !sleepers().includes(command));
}

async function waitFor(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(condition()).toBe(true);
}
