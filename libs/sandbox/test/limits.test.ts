import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost, type Host } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed, type SandboxRequest } from '@kiln/sandbox';
import { Store } from '@kiln/store';
import { makeTinyRoot, removeTemporaryDirectories, temporaryDirectory } from './tiny-root.ts';

const MiB = 1024 ** 2;
let root: string;

beforeAll(() => {
  root = makeTinyRoot();
});

afterAll(removeTemporaryDirectories);

/** What the machine offers, and what it has when it offers nothing. */
const HOSTS: readonly (readonly [string, Host])[] = [
  ['as this machine does it', createHost()],
  ['by the supervisor', { ...createHost(), environment: { ...process.env, KILN_LIMITS: 'supervisor' } }],
];

describe.each(HOSTS)('limits of the whole sandbox, %s', (_name, host) => {
  const sh = (script: string, limits: SandboxRequest['limits'], more: Partial<SandboxRequest> = {}) =>
    runSandboxed(host, {
      layers: [root],
      identity: 'builder',
      argv: ['/bin/sh', '-c', script],
      environment: { PATH: '/usr/bin' },
      limits: limits ?? {},
      timeoutSeconds: 50,
      ...more,
    });

  it('a fork bomb ends', async () => {
    const result = await sh('bomb() { bomb | bomb & }; bomb; sleep 40', { processes: 100 });
    expect(result.breach).toMatchObject({ limit: 'processes', allowed: 100 });
    expect(result.timedOut).toBe(false);
  });

  it('memory of one process', async () => {
    const result = await sh('dd if=/dev/zero of=/dev/null bs=300M count=100000', { memoryBytes: 100 * MiB });
    expect(result.breach).toMatchObject({ limit: 'memoryBytes', allowed: 100 * MiB });
  });

  it('memory of many processes together, each of which has little', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8; do dd if=/dev/zero of=/dev/null bs=30M count=100000 & done; wait';
    const result = await sh(script, { memoryBytes: 150 * MiB });
    expect(result.breach?.limit).toBe('memoryBytes');
  });

  it('memory that temporary files take', async () => {
    const script =
      'dd if=/dev/zero of=/tmp/big bs=1M count=200; dd if=/dev/zero of=/dev/shm/big bs=1M count=200; sleep 40';
    const result = await sh(script, { memoryBytes: 100 * MiB, temporaryBytes: 500 * MiB });
    expect(result.breach?.limit).toBe('memoryBytes');
  });

  it('space on the disk, also when it is only reserved', async () => {
    const store = new Store(host, temporaryDirectory('store'));
    const work = await makeWorkDirectory(host, store, 'disk');
    const mounts = [{ source: work, target: '/build', writable: true }];
    const written = await sh(
      'dd if=/dev/zero of=/build/big bs=1M count=300; sleep 40',
      { diskBytes: 50 * MiB },
      { mounts },
    );
    expect(written.breach).toMatchObject({ limit: 'diskBytes', allowed: 50 * MiB });
    expect(written.breach!.used).toBeGreaterThan(50 * MiB);
    await removeWorkDirectory(host, work);
    expect(existsSync(work)).toBe(false);
  });

  it('space of a file that was removed and is still open', async () => {
    const store = new Store(host, temporaryDirectory('store'));
    const work = await makeWorkDirectory(host, store, 'disk');
    const result = await sh(
      'exec 5> /build/gone; rm /build/gone; dd if=/dev/zero bs=1M count=300 >&5; sleep 40',
      { diskBytes: 50 * MiB },
      { mounts: [{ source: work, target: '/build', writable: true }] },
    );
    expect(result.breach).toMatchObject({ limit: 'diskBytes', allowed: 50 * MiB });
    await removeWorkDirectory(host, work);
  });

  it('files without content', { timeout: 320_000 }, async () => {
    const store = new Store(host, temporaryDirectory('store'));
    const work = await makeWorkDirectory(host, store, 'disk');
    const { breach } = await sh(
      'i=0; while :; do mkdir /build/$i; (cd /build/$i; touch $(seq 2000)); i=$((i + 1)); done',
      { diskBytes: 50 * MiB },
      { mounts: [{ source: work, target: '/build', writable: true }], timeoutSeconds: 300 },
    );
    expect(breach).toMatchObject({ limit: 'diskBytes', allowed: 50 * MiB });
    await removeWorkDirectory(host, work);
  });

  it('output without end', async () => {
    const log = join(temporaryDirectory('log'), 'log');
    const result = await sh('while :; do echo yes; done', { outputBytes: MiB }, { log });
    expect(result.breach).toMatchObject({ limit: 'outputBytes', allowed: MiB });
    expect(readFileSync(log).length).toBeLessThan(20 * MiB);
  });

  it('what is used is told, and nothing is met by less', async () => {
    const limits = { processes: 100, memoryBytes: 400 * MiB, diskBytes: 400 * MiB, outputBytes: MiB };
    const script = 'dd if=/dev/zero of=/dev/null bs=60M count=30; for i in {1..200}; do (:); done; echo done';
    const { breach, usage, stdout } = await sh(script, limits);
    expect(stdout).toBe('done\n');
    expect(breach).toBeUndefined();
    expect(usage.cpuSeconds).toBeGreaterThan(0);
    expect(usage.peakMemoryBytes).toBeGreaterThan(50 * MiB);
    expect(usage.peakMemoryBytes).toBeLessThan(200 * MiB);
  });

  it('nothing outlives the run, whatever it closed and wherever it went', async () => {
    const script = '(sleep 93 >/dev/null 2>&1 </dev/null &) ; exit 0';
    expect((await sh(script, { processes: 50 })).status).toBe(0);
    expect(commands()).not.toContain('sleep\x0093');
  });

  it('no control group stays', () => {
    const groups = execFileSync('find', ['/sys/fs/cgroup', '-name', `kiln-${process.pid}-*`], { encoding: 'utf8' });
    expect(groups).toBe('');
  });
});

it('limits are kept for an ordinary user', { timeout: 60_000 }, async () => {
  const isRoot = process.getuid?.() === 0;
  const name = `kiln-limit-${process.pid}`;
  if (isRoot) execFileSync('useradd', ['--no-create-home', '--shell', '/bin/sh', name]);
  try {
    const uid = isRoot ? Number(execFileSync('id', ['-u', name], { encoding: 'utf8' })) : undefined;
    const home = temporaryDirectory('home');
    chmodSync(home, 0o777);
    const script = join(import.meta.dirname, 'fixtures/limited-user.ts');
    const child = spawn(process.execPath, ['--conditions=development', '--import', 'tsx', script, root, home], {
      ...(uid === undefined ? {} : { uid, gid: uid }),
      env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    await once(child, 'close');
    expect(output).toBe('processes\nmemoryBytes\ndiskBytes\noutputBytes\n');
  } finally {
    if (isRoot) execFileSync('userdel', [name]);
  }
});

function commands(): string {
  const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
  const command = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return ''; // It has ended in the meantime.
    }
  };
  return pids.map(command).join('\n');
}
