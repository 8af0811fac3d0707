import { afterAll, expect, it } from 'vitest';
import { createHost, type KilnEvent } from '@kiln/host';
import { runSandboxed } from '@kiln/sandbox';
import { makeTinyRoot, removeTemporaryDirectories } from './tiny-root.ts';

afterAll(removeTemporaryDirectories);

it('tells as an event what a run used', async () => {
  const events: KilnEvent[] = [];
  const { usage } = await runSandboxed(createHost({ emit: (event) => events.push(event) }), {
    layers: [makeTinyRoot()],
    identity: 'builder',
    argv: ['/bin/sh', '-c', 'x=$(perl -e "print q(a) x 50_000_000"); perl -e "1 while (times)[0] < 1"; exit 3'],
    environment: { PATH: '/usr/bin' },
  });
  expect(events).toEqual([{ type: 'usage', usage }]);
  expect(usage.cpuSeconds).toBeGreaterThan(0.8);
  expect(usage.peakMemoryBytes).toBeGreaterThan(10_000_000);
}, 60_000);
