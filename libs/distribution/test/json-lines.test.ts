import { appendFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendJsonLine, readJsonLines } from '../src/json-lines.ts';

let directory: string;

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'kiln-lines-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('values come back in their order, without a line that was torn', () => {
  const file = join(directory, 'logs', 'a.jsonl');
  expect(readJsonLines(file)).toEqual([]);
  appendJsonLine(file, { n: 1 });
  appendFileSync(file, '{"n": 2\n');
  appendJsonLine(file, { n: 3 });
  expect(readJsonLines(file)).toEqual([{ n: 1 }, { n: 3 }]);
});

test('a full disk is an error that names the log', () => {
  const file = join(directory, 'full.jsonl');
  symlinkSync('/dev/full', file);
  expect(() => appendJsonLine(file, {})).toThrow(expect.objectContaining({ code: 'ENOSPC', path: file }));
});
