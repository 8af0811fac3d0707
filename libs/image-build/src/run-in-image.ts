/** Runs programs of an image in its own root, which they change. */
import { CUSTOMIZING, runScript, type ImageStage } from './image-stage.ts';
import type { ToolMount, ToolResult } from './image-ports.ts';
import { ROOT, toolEnvironment } from './install-packages.ts';
import type { RootPaths } from './root-scan.ts';

/** File systems of the sandbox lie over these; what a program writes there is gone afterwards. */
const PLACES = ['/dev', '/proc', '/run', '/tmp', '/var/tmp'];

/** Arguments: directories that the sandbox made as places for its file systems, in a root that has none. */
const CLEAN_SCRIPT = `cd ${ROOT} && for path in "$@"; do rmdir --ignore-fail-on-non-empty ".$path"; done`;

export interface ImageProgram {
  readonly argv: readonly [string, ...string[]];
  readonly mounts?: readonly ToolMount[];
  readonly onLine?: (line: string) => void;
}

/** As root, without network; a non-zero status is a result. `paths` is the root as it was before. */
export async function runInImage(
  stage: ImageStage,
  paths: RootPaths,
  { argv, mounts = [], onLine }: ImageProgram,
): Promise<ToolResult> {
  const { ports, request, directories } = stage;
  const result = await ports.run({
    argv,
    layers: [directories.root],
    writableRoot: true,
    mounts,
    environment: { ...toolEnvironment(request.sourceDateEpoch), HOME: '/root' },
    ...(request.log === undefined ? {} : { log: request.log }),
    ...(onLine === undefined ? {} : { onLine }),
  });
  const missing = PLACES.filter((path) => paths.follow(path) === undefined);
  if (missing.length > 0)
    await runScript(stage, {
      ...CUSTOMIZING,
      script: CLEAN_SCRIPT,
      words: missing,
      failure: 'places of mounts could not be removed',
    });
  return result;
}
