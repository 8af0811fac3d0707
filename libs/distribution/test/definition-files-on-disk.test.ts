import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planDefinition } from '@kiln/image-config';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { definitionFilesOnDisk } from '../src/definition-files-on-disk.ts';

let top: string;
let root: string;

beforeAll(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'kiln-definition-')));
  root = join(top, 'tree');
  mkdirSync(join(root, 'images/extra/sub'), { recursive: true });
  writeFileSync(join(top, 'secret'), 's');
  writeFileSync(join(root, 'images/extra/run'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(root, 'images/extra/sub/a'), 'a', { mode: 0o600 });
  symlinkSync('../run', join(root, 'images/extra/sub/link'));
  symlinkSync('../../secret', join(root, 'images/out'));
  symlinkSync('../..', join(root, 'images/up'));
});
afterAll(() => rmSync(top, { recursive: true }));

it('tells what lies at a path, links in directories as they are', () => {
  expect(definitionFilesOnDisk(root).inspect('images/extra')).toEqual({
    type: 'directory',
    realPath: 'images/extra',
    executable: true,
    entries: [
      { path: 'run', type: 'file', executable: true },
      { path: 'sub', type: 'directory', executable: true },
      { path: 'sub/a', type: 'file', executable: false },
      { path: 'sub/link', type: 'link', executable: false, target: '../run' },
    ],
  });
});

it('has nothing of what is not there, or outside', () => {
  const files = definitionFilesOnDisk(root);
  expect(files.read('images/no')).toBeUndefined();
  expect(files.read('images')).toBeUndefined();
  expect(files.read('../secret')).toBeUndefined();
  expect(files.inspect('../secret')).toBeUndefined();
  expect(files.inspect('images/extra/run/x')).toBeUndefined();
});

it.each(['out', 'up/secret'])('a definition can not use %s, which a link leads to', (source) => {
  const config = { SystemConfigs: [{ Name: 'One', Packages: ['a'], AdditionalFiles: { [source]: '/a' } }] };
  writeFileSync(join(root, 'images/a.json'), JSON.stringify(config));
  const plan = () => planDefinition('images/a.json', definitionFilesOnDisk(root));
  expect(plan).toThrow(`'${source}' leads out of the definition's directory, to '../secret'`);
});
