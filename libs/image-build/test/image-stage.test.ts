import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import { afterAll, expect, it } from 'vitest';
import { runTogether, type ImageStage } from '../src/image-stage.ts';
import { failure, smallImage } from './small-image.ts';
import { hasRpmbuild, makePorts, makeToolRoot, removeTemporaryDirectories } from './tool-root.ts';

afterAll(removeTemporaryDirectories);

it.skipIf(!hasRpmbuild())('runs scripts together, each by itself, and says which of them failed', async () => {
  const ports = makePorts(createHost(), makeToolRoot());
  const names = ['root', 'output'] as const;
  const [root, output] = await Promise.all(names.map((name) => ports.makeWorkDirectory(name)));
  const directories = { root: root!, output: output! };
  const stage: ImageStage = { ports, request: smallImage([], {}), directories };
  const script = (text: string, failed: string, ...words: string[]) => ({
    script: text,
    words,
    failure: failed,
    code: failed.toUpperCase(),
  });
  const error = await failure(
    runTogether(stage, [
      script('cd /usr; here=1; exit 0', 'first'),
      script('printf "%s\\n" "$PWD" "${here-unset}" "$#" "$@" > /output/second', 'second', 'a b', '', '$c'),
      script('echo "because of $1" >&2; false; echo never > /output/third', 'third', 'it'),
      script('echo never > /output/fourth', 'fourth'),
    ]),
  );
  expect(error.code).toBe('THIRD');
  expect(error.message).toMatch(/^small: third: (.*\n)*because of it$/);
  expect(readFileSync(join(directories.output, 'second'), 'utf8')).toBe('/\nunset\n3\na b\n\n$c\n');
  expect(() => readFileSync(join(directories.output, 'third'))).toThrow('ENOENT');
  expect(() => readFileSync(join(directories.output, 'fourth'))).toThrow('ENOENT');
  for (const directory of Object.values(directories)) await ports.removeWorkDirectory(directory);
});
