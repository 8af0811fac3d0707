import { expect, it } from 'vitest';
import { inParallel } from '@kiln/host';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

it('keeps the order of the items and the limit', async () => {
  let running = 0;
  let most = 0;
  const results = await inParallel([30, 10, 20, 1], 2, async (milliseconds) => {
    running += 1;
    most = Math.max(most, running);
    await pause(milliseconds);
    running -= 1;
    return milliseconds * 2;
  });
  expect(results).toEqual([60, 20, 40, 2]);
  expect(most).toBe(2);
});

it('throws the first error after all that had begun has ended, and begins nothing more', async () => {
  const ended: number[] = [];
  const run = inParallel([1, 2, 3], 2, async (item) => {
    if (item === 1) throw new Error('first');
    await pause(20);
    ended.push(item);
  });
  await expect(run).rejects.toThrow('first');
  expect(ended).toEqual([2]);
});
