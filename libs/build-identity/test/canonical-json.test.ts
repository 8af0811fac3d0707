import { expect, test } from 'vitest';
import { canonicalJson, digestOf } from '@kiln/build-identity';

test('members are ordered and undefined ones are left out', () => {
  expect(canonicalJson({ b: 1, a: [true, null, 'x'], c: undefined })).toBe('{"a":[true,null,"x"],"b":1}');
});

test('equal values have equal digests whatever the order in which they were made', () => {
  expect(digestOf({ a: 1, b: { c: 2, d: 3 } })).toBe(digestOf({ b: { d: 3, c: 2 }, a: 1 }));
});

test.each([[() => 1], [Number.NaN], [Number.POSITIVE_INFINITY], [[undefined]], [1n]])(
  'what JSON cannot say is refused: %s',
  (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  },
);
