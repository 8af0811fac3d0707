import {
  formatDependency,
  formatRichDependency,
  parseDependency,
  parseRichDependency,
  satisfies,
  senseOf,
  SENSE,
  simpleDependencies,
} from '@kiln/rpm-package';
import { describe, expect, it } from 'vitest';

describe('a dependency', () => {
  it.each(['foo', 'foo >= 1:2-3', '/bin/sh', 'pkgconfig(x) < 2', '(a or b)'])('%s stays itself', (text) => {
    expect(formatDependency(parseDependency(text))).toBe(text);
  });

  it('takes rpm’s other spellings of operators', () => {
    expect(['a == 1', 'a => 1', 'a =< 1'].map((text) => formatDependency(parseDependency(text)))).toEqual([
      'a = 1',
      'a >= 1',
      'a <= 1',
    ]);
  });

  it('has its comparison in its flags', () => {
    expect(senseOf({ ...parseDependency('a >= 1'), sense: SENSE.post })).toBe(SENSE.greater | SENSE.equal | SENSE.post);
  });
});

describe('satisfies', () => {
  it.each([
    ['a = 1-2', 'a', true],
    ['a', 'a > 9', true],
    ['a = 1-2', 'b', false],
    ['a = 1-2', 'a = 1', true],
    ['a = 1', 'a = 1-2', true],
    ['a = 1-2', 'a > 1', false],
    ['a = 1-2', 'a >= 1', true],
    ['a < 1-2', 'a = 1', true],
    ['a = 1:1', 'a >= 2', true],
    ['a >= 2', 'a < 2', false],
    ['a >= 2', 'a < 3', true],
    ['a < 2', 'a < 1', true],
    ['a = 1.0~rc1', 'a >= 1.0', false],
  ] as const)('%s provides %s: %s', (provided, required, expected) => {
    expect(satisfies(parseDependency(provided), parseDependency(required))).toBe(expected);
  });
});

describe('a rich dependency', () => {
  it.each([
    ['(a or  b==1)', '(a or b==1)'],
    ['(a or b == 1)', '(a or b = 1)'],
    ['((a and b) or c(x) >= 2-1)', '((a and b) or c(x) >= 2-1)'],
    ['(a if b else c)', '(a if b else c)'],
    ['(a and b and c)', '(a and b and c)'],
    ['(a with b < 2)', '(a with b < 2)'],
    ['(a)', '(a)'],
  ])('%s is stored as %s', (text, expected) => {
    const { value, end } = parseRichDependency(text, 0, 'requires');
    expect(formatRichDependency(value)).toBe(expected);
    expect(end).toBe(text.length);
  });

  it('stops at its closing parenthesis and knows its parts', () => {
    const { value, end } = parseRichDependency('x (a or (b and c)), y', 2);
    expect(end).toBe(18);
    expect(simpleDependencies(value).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(value).toMatchObject({ kind: 'or', operands: [{ kind: 'simple' }, { kind: 'and' }] });
  });

  it.each([
    ['(a or b and c)', 'cannot chain different ops'],
    ['(a if b if c)', 'can only chain'],
    ['(a xor b)', "unknown rich dependency op 'xor'"],
    ['(a or)', 'missing argument'],
    ['()', 'empty rich dependency'],
    ['(a or b', 'unterminated'],
    ['(a >=)', 'version required'],
    ['(a unless b)', 'illegal context'],
    ['((a and b) with c)', 'illegal ops in with/without'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => parseRichDependency(text, 0, 'requires')).toThrow(message);
  });

  it('forbids if in conflicts and unless in requirements', () => {
    expect(() => parseRichDependency('(a unless b)', 0, 'conflicts')).not.toThrow();
    expect(() => parseRichDependency('(a if b)', 0, 'conflicts')).toThrow('illegal context');
  });
});
