/** What the steps of customizing share: the request, the root, and running a script of ours on it. */
import { BuildError } from '@kiln/diagnostics';
import type { ImagePorts, ToolMount } from './image-ports.ts';
import type { ImageRequest } from './image-request.ts';
import { OUTPUT, ROOT, toolEnvironment, type ImageDirectories } from './install-packages.ts';

export interface CustomizeStage {
  readonly ports: ImagePorts;
  readonly request: ImageRequest;
  readonly directories: ImageDirectories;
}

export interface ToolScript {
  readonly script: string;
  readonly words?: readonly string[];
  readonly mounts?: readonly ToolMount[];
  /** What failed when it fails. */
  readonly what: string;
}

/** Runs a script with the toolchain's programs over the root. @throws BuildError `IMAGE_CUSTOMIZE_FAILED` */
export async function runInTools(
  { ports, request, directories }: CustomizeStage,
  { script, words = [], mounts = [], what }: ToolScript,
): Promise<void> {
  const { status, stdout, stderr, command } = await ports.run({
    argv: ['bash', '-c', script, 'kiln', ...words],
    mounts: [
      { source: directories.root, target: ROOT, writable: true },
      { source: directories.output, target: OUTPUT, writable: true },
      ...mounts,
    ],
    environment: toolEnvironment(request.sourceDateEpoch),
    ...(request.log === undefined ? {} : { log: request.log }),
  });
  if (status === 0) return;
  const said = (stderr || stdout).trim();
  throw new BuildError('IMAGE_CUSTOMIZE_FAILED', `${request.definition.name}: ${what}: ${said}`, {
    log: request.log,
    command,
  });
}
