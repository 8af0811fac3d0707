import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processStart } from '../src/process-identity.ts';
import { ResourceBroker, type ResourceRequest, type Waiting } from '../src/resource-broker.ts';

const capacity = { memoryBytes: 10, cores: 4 };
const request = (what: string, memoryBytes: number, priority = 0): ResourceRequest => ({
  what,
  memoryBytes,
  cores: 1,
  priority,
  seconds: 1,
});

let base: string;
let directory: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'kiln-tokens-'));
  directory = join(base, 'tokens');
});
afterEach(() => rmSync(base, { recursive: true }));

const brokerOf = (most?: number) =>
  new ResourceBroker({ directory, capacity, interval: 10, ...(most === undefined ? {} : { most }) });

/** Resolves when asked to. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

describe('the resources of a machine', () => {
  it('are shared by brokers: a task waits for what another has, by priority', async () => {
    const order: string[] = [];
    const first = gate();
    const waits: Waiting[] = [];
    const begun = gate();
    const held = brokerOf().withResources(request('first', 8), () => (begun.open(), first.opened));
    await begun.opened;
    const other = brokerOf();
    const both = gate();
    const seen = new Set<string>();
    const onWait = (what: string) => (waiting: Waiting) => {
      waits.push(waiting);
      if (seen.add(what).size === 2) both.open();
    };
    const late = [
      other.withResources(request('idle', 6, 1), () => Promise.resolve(order.push('idle')), { onWait: onWait('idle') }),
      other.withResources(request('urgent', 6, 2), () => Promise.resolve(order.push('urgent')), {
        onWait: onWait('urgent'),
      }),
    ];
    await both.opened;
    expect(waits[0]).toEqual({ lack: 'memory', free: { memoryBytes: 2, cores: 3 } });
    first.open();
    await Promise.all([held, ...late]);
    expect(order).toEqual(['urgent', 'idle']);
    expect(readdirSync(directory)).toEqual(['lock']);
  });

  it('never give out more than there is', async () => {
    let taken = 0;
    let most = 0;
    const brokers = [brokerOf(), brokerOf(), brokerOf()];
    await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        brokers[at % 3]!.withResources(request(`t${at}`, 1 + (at % 5)), async () => {
          taken += 1 + (at % 5);
          most = Math.max(most, taken);
          await new Promise((resolve) => setTimeout(resolve, 1));
          taken -= 1 + (at % 5);
        }),
      ),
    );
    expect(most).toBeLessThanOrEqual(10);
    expect(taken).toBe(0);
  });

  it('come back when the work fails', async () => {
    const broker = brokerOf();
    await expect(broker.withResources(request('bad', 10), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(broker.withResources(request('next', 10), () => Promise.resolve('ok'))).resolves.toBe('ok');
  });

  it('come back when a process is killed', async () => {
    const script = fileURLToPath(new URL('fixtures/holder.ts', import.meta.url));
    const holder = spawn(process.execPath, ['--import', 'tsx', '--conditions', 'development', script, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    const waited = gate();
    const next = brokerOf().withResources(request('next', 1), () => Promise.resolve('ok'), { onWait: waited.open });
    await waited.opened;
    holder.kill('SIGKILL');
    await expect(next).resolves.toBe('ok');
  }, 60_000);

  it('of a process whose number was used again come back too', async () => {
    const broker = brokerOf();
    await broker.withResources(request('first', 1), () => Promise.resolve());
    const ticket = { id: 'x', run: 'x', since: 0, priority: 0, what: 'x', memoryBytes: 10, cores: 1 };
    writeFileSync(join(directory, 'x.held'), JSON.stringify({ ...ticket, pid: process.ppid, processStart: 1 }));
    await expect(broker.withResources(request('next', 10), () => Promise.resolve('ok'))).resolves.toBe('ok');
  });

  it('are not waited for after an interrupt', async () => {
    const stop = new AbortController();
    const hold = gate();
    const begun = gate();
    const held = brokerOf().withResources(request('first', 10), () => (begun.open(), hold.opened));
    await begun.opened;
    const waited = gate();
    const next = brokerOf().withResources(request('next', 1), () => Promise.resolve(), {
      signal: stop.signal,
      onWait: waited.open,
    });
    await waited.opened;
    stop.abort(new Error('stop'));
    await expect(next).rejects.toThrow('stop');
    hold.open();
    await held;
  });

  it('bound the tasks of one run', async () => {
    const broker = brokerOf(2);
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 6 }, (_, at) =>
        broker.withResources(request(`t${at}`, 0), async () => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setTimeout(resolve, 1));
          running -= 1;
        }),
      ),
    );
    expect(most).toBe(2);
  });

  it('are not kept in a directory of somebody else', async () => {
    symlinkSync(base, directory);
    await expect(brokerOf().withResources(request('x', 1), () => Promise.resolve())).rejects.toMatchObject({
      code: 'TOKENS_UNUSABLE',
    });
  });
});

describe('the start of a process', () => {
  it('is known while it lives', async () => {
    const child = spawn('sleep', ['60']);
    expect(processStart(child.pid!)).toBeGreaterThan(0);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(processStart(child.pid!)).toBeUndefined();
  });
});
