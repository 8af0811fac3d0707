import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isInside } from '../src/is-inside.ts';

let top: string;
beforeEach(() => void (top = mkdtempSync(join(tmpdir(), 'kiln-inside-'))));
afterEach(() => rmSync(top, { recursive: true, force: true }));

test.each([
  ['a file', 'file', true],
  ['a link to a file of the workspace', 'near', true],
  ['a link through a directory of the workspace', 'in/file', true],
  ['a link to a file beside the workspace', 'far', false],
  ['a link to a link that leaves', 'twice', false],
  ['a file below a link that leaves', 'out/secret', false],
  ['a neighbour whose path begins like that of the workspace', 'like', false],
])('%s', (_, path, expected) => {
  const root = join(top, 'tree');
  mkdirSync(join(root, 'directory'), { recursive: true });
  mkdirSync(join(top, 'tree-other'));
  for (const file of ['tree/file', 'tree/directory/file', 'secret', 'tree-other/file'])
    writeFileSync(join(top, file), '');
  const links = {
    near: 'directory/file',
    in: 'directory',
    far: '../secret',
    twice: 'far',
    out: '..',
    like: '../tree-other/file',
  };
  for (const [link, target] of Object.entries(links)) symlinkSync(target, join(root, link));
  expect(isInside(root, path)).toBe(expected);
});
