import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { createHost } from '@kiln/host';
import { memoryPlace, sweepWorkDirectories } from '@kiln/sandbox';
import { Store } from '@kiln/store';
import { expect, test } from 'vitest';

test('a place in memory is ours, and only for work that leaves most of the memory free', async () => {
  const place = await memoryPlace(1_000_000);
  // There is none where programs can't run in memory.
  if (place !== undefined) expect(statSync(place).uid).toBe(process.getuid!());
  expect(await memoryPlace(process.availableMemory())).toBeUndefined();
});

test('what a killed run left there is removed by the next one', async () => {
  const place = await memoryPlace(1_000_000);
  if (place === undefined) return;
  const { pid } = spawnSync('true');
  const [gone, used] = [`image-${pid}-00ff`, `image-${process.pid}-00ff`].map((name) => join(place, name));
  try {
    for (const directory of [gone!, used!]) mkdirSync(join(directory, 'inside'), { recursive: true });
    await sweepWorkDirectories(createHost(), new Store(createHost(), join(place, 'no-store')));
    expect([existsSync(gone!), existsSync(used!)]).toEqual([false, true]);
  } finally {
    for (const directory of [gone!, used!]) rmSync(directory, { recursive: true, force: true });
  }
});
