/** Runs the scripts of a definition in the image's own root. */
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { ImageScript } from '@kiln/image-config';
import { atPlace } from './definition-place.ts';
import type { ImageStage } from './image-stage.ts';
import { withWorkDirectories } from './image-ports.ts';
import { placeLocalFile } from './local-files.ts';
import type { RootPaths } from './root-scan.ts';
import { runInImage } from './run-in-image.ts';

/** In a file system of its own, so that nothing of it stays in the image. */
const SCRIPTS = '/run/kiln';
const LINES_SHOWN = 10;
const SHELLS = ['/usr/bin/bash', '/bin/bash', '/usr/bin/sh', '/bin/sh'];

/**
 * One after the other, as root, without network, with /dev, /proc, /run, /tmp and /var/tmp of their own. What they write anywhere else is the
 * image's.
 * @throws BuildError `IMAGE_SCRIPT_FAILED` with what the script said last
 */
export async function runScripts(stage: ImageStage, scripts: readonly ImageScript[], paths: RootPaths): Promise<void> {
  if (scripts.length === 0) return;
  const shell = SHELLS.find((path) => paths.follow(path) !== undefined);
  if (shell === undefined) {
    throw new BuildError('IMAGE_SCRIPT_FAILED', `${scripts[0]!.source} can't run: the image has no shell`, {
      hint: 'add a package with /usr/bin/sh',
    });
  }
  await withWorkDirectories(stage.ports, [`image-${stage.request.definition.name}-scripts`], async ([directory]) => {
    for (const [index, script] of scripts.entries()) {
      const name = `${index}-${script.source.slice(script.source.lastIndexOf('/') + 1)}`;
      await placeLocalFile(stage.request, script.source, join(directory!, name));
      await chmod(join(directory!, name), 0o755);
      const { definition } = stage.request;
      const placed = { script, shell, name, directory: directory! };
      await atPlace(definition, `script ${script.source}`, () => runScript(stage, paths, placed));
    }
  });
}

interface PlacedScript {
  readonly script: ImageScript;
  readonly shell: string;
  readonly name: string;
  readonly directory: string;
}

async function runScript(stage: ImageStage, paths: RootPaths, placed: PlacedScript): Promise<void> {
  const { script, shell, name, directory } = placed;
  const path = `${SCRIPTS}/${name}`;
  // What names no interpreter is the shell's.
  const isProgram = (await readFile(join(directory, name))).subarray(0, 2).toString() === '#!';
  const said: string[] = [];
  const { status } = await runInImage(stage, paths, {
    // Its name comes first: what says nothing but `mkdir: …` would be taken for the sandbox's own failure.
    argv: [
      shell,
      '-c',
      `echo "$0"; exec "$@" ${script.arguments}`,
      script.source,
      ...(isProgram ? [path] : [shell, path]),
    ],
    mounts: [{ source: directory, target: SCRIPTS, writable: false }],
    onLine: (line) => {
      if (line.trim() !== '' && line !== script.source) said.push(line);
      if (said.length > LINES_SHOWN) said.shift();
    },
  });
  if (status === 0) return;
  throw new BuildError('IMAGE_SCRIPT_FAILED', `${script.source} ended with status ${status}`, {
    diagnostics: said.map((message) => ({ severity: 'error', code: 'IMAGE_SCRIPT_FAILED', message })),
    log: stage.request.log,
  });
}
