import { describe, expect, it } from 'vitest';
import { parse, stringify, walk } from '@kiln/rpm-spec';

const PIECES = [
  '%if 1',
  '%else',
  '%endif',
  '%elif 0',
  '%{',
  '}',
  '\\',
  '\n',
  '\n',
  '\n',
  'Name: x',
  '%package y',
  '%prep',
  '#',
  ' ',
  '%(',
];

/** A small generator of numbers that is the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('parse and stringify', () => {
  it('keep every text as it is', () => {
    const next = random(1);
    for (let round = 0; round < 5000; round += 1) {
      const length = Math.floor(next() * 40);
      const text = Array.from({ length }, () => PIECES[Math.floor(next() * PIECES.length)]).join('');
      expect(stringify(parse(text))).toBe(text);
    }
  });

  it('know the range of a value', () => {
    const text = '# a\n%if 1\nVersion:  1.2 \n%else\nVersion: 3\n%endif\n%build\nmake\n';
    const nodes = [...walk(parse(text).children)];
    const versions = nodes.filter((node) => node.kind === 'tag');
    expect(versions.map(({ valueRange }) => text.slice(valueRange.start, valueRange.end))).toEqual(['1.2', '3']);
    expect(nodes.map(({ kind }) => kind)).toEqual(['comment', 'conditional', 'tag', 'tag', 'section', 'text']);
  });
});
