import { readFileSync } from 'node:fs';
import { compareEvr, formatEvr, parseEvr } from '@kiln/rpm-package';
import { describe, expect, it } from 'vitest';

/** `[a, b, order]` as rpm's Lua function rpm.vercmp() orders them; without a dash they are plain versions. */
const recorded = JSON.parse(readFileSync(new URL('fixtures/vercmp.json', import.meta.url), 'utf8')) as [
  string,
  string,
  number,
][];

describe('the order of versions', () => {
  it.each(recorded.filter(([a, b]) => !`${a}${b}`.includes('-')))('%s, %s: %i', (a, b, order) => {
    expect(compareEvr(parseEvr(a), parseEvr(b))).toBe(order);
    expect(compareEvr(parseEvr(b), parseEvr(a))).toBe(order === 0 ? 0 : -order);
  });

  it.each([
    ['1:1', '2', 1],
    ['0:1', '1', 0],
    ['1-2', '1', 0],
    ['1-2', '1-10', -1],
    ['1:1-1', '1:1-1', 0],
  ] as const)('%s, %s: %i', (a, b, order) => {
    expect(compareEvr(parseEvr(a), parseEvr(b))).toBe(order);
  });
});

describe('epoch, version, release', () => {
  it.each(['1', '1:2', '1:2-3', '2-3', '1-2-3', '1.0~rc1-0.1'])('%s stays itself', (text) => {
    expect(formatEvr(parseEvr(text))).toBe(text);
  });

  it('reads an empty epoch as 0', () => {
    expect(parseEvr(':1')).toEqual({ epoch: 0, version: '1' });
  });
});
