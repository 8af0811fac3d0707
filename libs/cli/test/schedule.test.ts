import { describe, expect, it } from 'vitest';
import { remainingSeconds, runSchedule, type Schedule, type ScheduledTask } from '../src/schedule.ts';

/** `a 5 < b c`: a takes five seconds and comes after b and c. */
const graph = (...lines: string[]): ScheduledTask[] =>
  lines.map((line) => {
    const [left = '', right = ''] = line.split('<');
    const [name = '', seconds = '1'] = left.trim().split(' ');
    return { name, seconds: Number(seconds), before: right.split(' ').filter((word) => word !== '') };
  });

/** Runs with a number of workers on a clock of its own; tells when each task began. */
async function simulate(tasks: readonly ScheduledTask[], workers: number, fails: readonly string[] = []) {
  const begun: [string, number][] = [];
  const blocked: string[] = [];
  const waiting: { name: string; priority: number; begin: () => void }[] = [];
  const running: { name: string; ends: number; end: () => void }[] = [];
  const seconds = new Map(tasks.map((one) => [one.name, one.seconds]));
  let now = 0;
  const schedule: Schedule = {
    window: 2,
    failed: ({ name, blocks }) => blocked.push(...blocks.map((one) => `${one} by ${name}`)),
    async run(name, { priority, admitted }) {
      await new Promise<void>((begin) => waiting.push({ name, priority, begin }));
      admitted();
      begun.push([name, now]);
      await new Promise<void>((end) => running.push({ name, ends: now + seconds.get(name)!, end }));
      if (fails.includes(name)) throw new Error(name);
    },
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  let result: Awaited<ReturnType<typeof runSchedule>> | undefined;
  void runSchedule(tasks, schedule).then((value) => (result = value));
  for (;;) {
    await settle();
    if (result !== undefined) return { result, begun, blocked, makespan: now };
    waiting.sort((a, b) => b.priority - a.priority);
    if (running.length < workers && waiting.length > 0) {
      waiting.shift()!.begin();
      continue;
    }
    running.sort((a, b) => a.ends - b.ends);
    const next = running.shift()!;
    now = next.ends;
    next.end();
  }
}

describe('the longest remaining chain', () => {
  it('adds what comes after', () => {
    const tasks = graph('base 1', 'long 10 < base', 'short 2 < base', 'last 3 < long short');
    expect(Object.fromEntries(remainingSeconds(tasks))).toEqual({ base: 14, long: 13, short: 5, last: 3 });
  });

  it('passes over tasks that are not scheduled', () => {
    expect(Object.fromEntries(remainingSeconds(graph('a 1 < gone')))).toEqual({ a: 1 });
  });

  it('takes a chain of any length', () => {
    const chain = Array.from({ length: 20_000 }, (_, at) => ({ name: `t${at}`, seconds: 1, before: [`t${at - 1}`] }));
    expect(remainingSeconds(chain).get('t0')).toBe(20_000);
  });
});

describe('a schedule', () => {
  it('does each task after those before it', async () => {
    const { begun } = await simulate(graph('c < b', 'b < a', 'a'), 3);
    expect(begun).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
  });

  it('begins the critical path first, where the order of names would take longer', async () => {
    const tasks = graph('a 4', 'b 4', 'c 4', 'x 1', 'y 11 < x');
    const { begun, makespan } = await simulate(tasks, 2);
    expect(begun[0]).toEqual(['x', 0]);
    expect(makespan).toBe(12);
  });

  it('lets an urgent task that becomes ready pass those that wait', async () => {
    const tasks = graph('a 3', 'b 2', 'c 2', 'd 2', 'x 1', 'y 1 < x', 'z 9 < y');
    const { begun } = await simulate(tasks, 1);
    expect(begun.slice(0, 3).map(([name]) => name)).toEqual(['x', 'y', 'z']);
  });

  it('goes on with a chain while other tasks run', async () => {
    const { begun } = await simulate(graph('long1 20', 'long2 20', 'a 1', 'b 1 < a', 'c 1 < b'), 3);
    expect(begun.slice(-2)).toEqual([
      ['b', 1],
      ['c', 2],
    ]);
  });

  it('goes on after a failure with what does not need it', async () => {
    const tasks = graph('a 1', 'b 1 < a', 'c 1 < b', 'd 5', 'e 1 < d c', 'f 1 < d');
    const { result, blocked } = await simulate(tasks, 2, ['a']);
    expect(result.failed.map(({ name }) => name)).toEqual(['a']);
    expect(result.done).toEqual(['d', 'f']);
    expect(result.failed[0]?.blocks).toEqual(['b', 'c', 'e']);
    expect(blocked).toEqual(['b by a', 'c by a', 'e by a']);
  });

  it('begins nothing new after an interrupt', async () => {
    const stop = new AbortController();
    const begun: string[] = [];
    const { done } = await runSchedule(graph('a', 'b < a'), {
      window: 1,
      signal: stop.signal,
      run(name) {
        begun.push(name);
        stop.abort();
        return Promise.resolve();
      },
    });
    expect([begun, done]).toEqual([['a'], ['a']]);
  });

  it('has nothing to do without tasks', async () => {
    const result = await runSchedule([], { window: 1, run: () => Promise.reject(new Error('called')) });
    expect(result).toEqual({ done: [], failed: [], left: [] });
  });

  it('begins nothing new after a failure when it is told to bail, and says what is left', async () => {
    const run = async (bail: boolean) => {
      const ends = new Map<string, () => void>();
      const schedule: Schedule = {
        window: 2,
        bail,
        async run(name, { admitted }) {
          if (name === 'bad') throw new Error(name);
          if (name === 'long') await new Promise<void>((end) => ends.set(name, end));
          admitted();
        },
        failed: () => setImmediate(() => ends.get('long')?.()),
      };
      return runSchedule(graph('bad 9', 'long 8', 'other 1', 'after < bad', 'last < long'), schedule);
    };
    expect(await run(false)).toMatchObject({ done: expect.arrayContaining(['long', 'other', 'last']), left: [] });
    const { done, failed, left } = await run(true);
    expect(failed).toMatchObject([{ name: 'bad', blocks: ['after'] }]);
    expect([done, left]).toEqual([['long'], ['other', 'last']]);
  });
});
