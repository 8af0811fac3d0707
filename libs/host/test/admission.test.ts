import { describe, expect, it } from 'vitest';
import { admit, PATIENCE, type Ticket } from '../src/admission.ts';

const capacity = { memoryBytes: 10, cores: 4 };
const ticket = (id: string, memoryBytes: number, cores: number, more: Partial<Ticket> = {}): Ticket => ({
  id,
  memoryBytes,
  cores,
  held: false,
  priority: 0,
  since: 0,
  seconds: 1,
  run: 'run',
  ...more,
});
const answers = (tickets: readonly Ticket[], now = 0) =>
  Object.fromEntries([...admit(tickets, capacity, now)].map(([id, { lack }]) => [id, lack ?? 'nothing']));

describe('who may start', () => {
  it('is everybody while there is enough', () => {
    expect(answers([ticket('a', 4, 1), ticket('b', 6, 3)])).toEqual({ a: 'nothing', b: 'nothing' });
  });

  it('is the most urgent first, then the one that waits longest', () => {
    expect(
      answers([
        ticket('late', 6, 1, { priority: 5, since: 2 }),
        ticket('early', 6, 1, { priority: 5, since: 1 }),
        ticket('idle', 4, 1, { priority: 1 }),
      ]),
    ).toEqual({ early: 'nothing', late: 'memory', idle: 'nothing' });
  });

  it('counts what runs', () => {
    const running = ticket('r', 7, 3, { held: true });
    expect(answers([running, ticket('a', 4, 1), ticket('b', 1, 2), ticket('c', 3, 1)])).toEqual({
      a: 'memory',
      b: 'cores',
      c: 'nothing',
    });
  });

  it('is told what is left by what runs and by those before it', () => {
    const tickets = [
      ticket('r', 2, 1, { held: true }),
      ticket('a', 5, 1, { priority: 2 }),
      ticket('b', 4, 1, { priority: 1 }),
    ];
    expect(Object.fromEntries(admit(tickets, capacity, 0))).toEqual({
      a: { lack: undefined, free: { memoryBytes: 8, cores: 3 } },
      b: { lack: 'memory', free: { memoryBytes: 3, cores: 2 } },
    });
  });

  it('lets a task that needs more than there is run alone', () => {
    const huge = ticket('huge', 99, 64);
    expect(answers([huge])).toEqual({ huge: 'nothing' });
    expect(answers([huge, ticket('r', 1, 1, { held: true })])).toEqual({ huge: 'memory' });
    expect(answers([ticket('a', 1, 1), { ...huge, held: true }])).toEqual({ a: 'memory' });
  });

  it('may pass a task that does not fit when that delays it by nothing', () => {
    const running = [ticket('r', 6, 1, { held: true, seconds: 30 }), ticket('q', 1, 1, { held: true, seconds: 90 })];
    const big = ticket('big', 8, 1, { priority: 9, seconds: 50 });
    const small = (id: string, seconds: number, memoryBytes = 1) =>
      answers([...running, big, ticket(id, memoryBytes, 1, { seconds })], 10_000)[id];
    // `r` ends in 20 s; then 1 of 10 is left beside `big` and `q`.
    expect(small('short', 20, 3)).toBe('nothing');
    expect(small('long', 21, 3)).toBe('turn');
    expect(small('beside', 500)).toBe('nothing');
    expect(
      answers([...running, big, ticket('a', 1, 1, { seconds: 500 }), ticket('b', 1, 1, { seconds: 500 })]),
    ).toEqual({
      ...{ big: 'memory', a: 'nothing', b: 'turn' },
    });
  });

  it('expects what is late to take as long again', () => {
    const late = ticket('r', 7, 1, { held: true, seconds: 10 });
    const tickets = [late, ticket('big', 8, 1, { priority: 9 }), ticket('small', 3, 1, { seconds: 5 })];
    expect(answers(tickets, 14_000)).toEqual({ big: 'memory', small: 'turn' });
    expect(answers(tickets, 15_000)).toEqual({ big: 'memory', small: 'nothing' });
  });

  it('stops being overtaken when its patience is over', () => {
    const tickets = [
      ticket('r', 7, 1, { held: true }),
      ticket('big', 5, 1, { priority: 9 }),
      ticket('small', 1, 1, { since: PATIENCE }),
    ];
    expect(answers(tickets, PATIENCE - 1)).toEqual({ big: 'memory', small: 'nothing' });
    expect(answers(tickets, PATIENCE)).toEqual({ big: 'memory', small: 'turn' });
  });

  it('bounds the tasks of one run without holding up another', () => {
    const first = { run: 'first', most: 1 };
    expect(
      answers([
        ticket('r', 1, 1, { ...first, held: true }),
        ticket('a', 1, 1, { ...first, priority: 9 }),
        ticket('b', 1, 1, { run: 'second' }),
      ]),
    ).toEqual({ a: 'turn', b: 'nothing' });
  });

  it('does not take rounding for a lack', () => {
    const tenths = Array.from({ length: 40 }, (_, at) => ticket(`t${at}`, 0, 0.1));
    expect(Object.values(answers(tenths))).toEqual(tenths.map(() => 'nothing'));
  });
});
