import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { firstDifference, type Corpus } from '../corpus.ts';

// Recorded from rpm 4.18.2: tools/fuzz/mutants.ts --record. `differences` holds inputs on which the two sides once differed, `by-hand` specs
// written for the corners of each section and tag.
const read = (name: string): Corpus =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8')) as Corpus;

test.each(['recorded', 'differences', 'by-hand'])(
  'the evaluator says of generated texts and specs what rpm says: %s',
  async (name) => {
    const corpus = read(name);
    expect(corpus.texts.length + corpus.specs.length).toBeGreaterThan(0);
    expect(await firstDifference(corpus)).toBeUndefined();
  },
);
