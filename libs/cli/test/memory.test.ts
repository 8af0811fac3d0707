import { expect, test } from 'vitest';
import { formatMemory } from '../src/memory.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [512_000_000, '512 MB'],
  [999_600_000, '1.0 GB'],
  [6_040_000_000, '6.0 GB'],
  [5e15, '5000.0 TB'],
])('%d bytes', (bytes, text) => expect(formatMemory(bytes)).toBe(text));
