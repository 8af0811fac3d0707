import { expect, test } from 'vitest';
import { formatDuration } from '../src/duration.ts';
import { formatTable } from '../src/table.ts';

test.each([
  [0, '00:00'],
  [0.4, '00:00'],
  [72, '01:12'],
  [3599.6, '1:00:00'],
  [3723, '1:02:03'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('columns are as wide as their widest cell', () => {
  expect(
    formatTable([
      ['a', 'bb', 'c'],
      ['aaa', 'b', ''],
    ]),
  ).toBe('a    bb  c\naaa  b');
});
