/** What the steps of making an image share: the request, the directories, and running a script on them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { saysNoSpace } from '@kiln/host';
import type { ImagePorts, ToolMount, ToolResult } from './image-ports.ts';
import type { ImageRequest } from './image-request.ts';
import { OUTPUT, ROOT, toolEnvironment, type ImageDirectories } from './install-packages.ts';

export interface ImageStage {
  readonly ports: ImagePorts;
  readonly request: ImageRequest;
  readonly directories: ImageDirectories;
}

export interface StageScript {
  /** Of bash; the root's files are in /image, what it makes goes to /output. */
  readonly script: string;
  readonly words?: readonly string[];
  /** What it is for, in messages: `the file system of 'rootfs' could not be made`. */
  readonly failure: string;
  readonly code: string;
  /** What is said when it makes a file system that has no room for its files. */
  readonly tooSmall?: string;
  /** In what root it runs; `image` is that of the image itself. */
  readonly tools: 'toolchain' | 'image-tools' | 'image';
  /** Whether it changes the root's files. */
  readonly changesRoot?: boolean;
  /** For its standard input; it stands in no log. */
  readonly input?: string;
  /** On top of the root's files, for example. */
  readonly mounts?: readonly ToolMount[];
}

/** Of the steps that do to a root what its definition says. */
export const CUSTOMIZING = { code: 'IMAGE_CUSTOMIZE_FAILED', tools: 'toolchain', changesRoot: true } as const;

/** What bash calls a script in messages. One of the sandbox's own programs would mean that the sandbox failed. */
const SCRIPT_NAME = 'script';

/** What mke2fs, mkfs.vfat, mcopy, mkswap, mkfs.xfs and xfs_db say when a file system is full, or can't even be made. */
const FILE_SYSTEM_FULL =
  /Could not allocate|Disk full|too small|Not enough|not enough|less than|larger than 300MB|\[28 - |(link failed|failed to set attr).*No space/i;

/** @throws BuildError `code`; `PARTITION_TOO_SMALL`; `NO_SPACE` when the machine's disk is full */
export async function runScript(stage: ImageStage, step: StageScript): Promise<ToolResult> {
  const { script, words = [] } = step;
  const result = await runBash(stage, step, [`set -euo pipefail\n${script}`, SCRIPT_NAME, ...words]);
  if (result.status !== 0) throw stepFailed(stage, step, result);
  return result;
}

/** A script for which `runTogether` has a place. */
export type JoinedScript = Pick<StageScript, 'script' | 'words' | 'failure' | 'code' | 'mounts'>;

/** In the output directory: the number of the script that is running. */
const RUNNING = 'running';

/**
 * The same with several scripts, one after the other in the toolchain's root: a sandbox takes longer to begin than most of them do.
 * @throws BuildError as `runScript`, of the one that failed
 */
export async function runTogether(stage: ImageStage, scripts: readonly JoinedScript[]): Promise<void> {
  if (scripts.length === 0) return;
  const mounts = scripts.flatMap((step) => step.mounts ?? []);
  const shared = { tools: 'toolchain', changesRoot: true, mounts } as const;
  const words: string[] = [];
  const bodies = scripts.map((step, number) => {
    const first = words.length + 1;
    words.push(...(step.words ?? []));
    // In a process of its own: it may change directories and end early.
    return `echo ${number} > ${OUTPUT}/${RUNNING}\n(set -- "\${@:${first}:${words.length + 1 - first}}"\n${step.script}\n)`;
  });
  const result = await runBash(stage, shared, [`set -euo pipefail\n${bodies.join('\n')}`, SCRIPT_NAME, ...words]);
  if (result.status === 0) return;
  const running = await readFile(join(stage.directories.output, RUNNING), 'utf8').catch(() => '0');
  throw stepFailed(stage, { ...shared, ...scripts[Number(running)]! }, result);
}

async function runBash(
  { ports, request, directories }: ImageStage,
  step: Pick<StageScript, 'tools' | 'changesRoot' | 'input' | 'mounts'>,
  words: readonly string[],
): Promise<ToolResult> {
  const { tools, changesRoot = false, mounts = [] } = step;
  const layers = tools === 'toolchain' ? undefined : [tools === 'image' ? directories.root : await ports.imageTools()];
  return ports.run({
    argv: [tools === 'image' ? '/usr/bin/bash' : 'bash', '-c', ...words],
    mounts: [
      ...(tools === 'image' ? [] : [{ source: directories.root, target: ROOT, writable: changesRoot }]),
      { source: directories.output, target: OUTPUT, writable: true },
      ...mounts,
    ],
    environment: toolEnvironment(request.sourceDateEpoch),
    ...(layers === undefined ? {} : { layers }),
    ...(step.input === undefined ? {} : { input: step.input }),
    ...(request.log === undefined ? {} : { log: request.log }),
  });
}

/** Without the command: the directories that it worked on are gone when somebody reads of it. */
function stepFailed({ request }: ImageStage, step: StageScript, { stdout, stderr }: ToolResult): BuildError {
  const { name } = request.definition;
  const said = (stderr || stdout).trim();
  const more = { log: request.log };
  if (step.tooSmall !== undefined && FILE_SYSTEM_FULL.test(said)) {
    const hint = "let its 'End' be larger, and 'MaxSize' with it, or leave packages out";
    return new BuildError('PARTITION_TOO_SMALL', `${name}: ${step.tooSmall}: ${said}`, { ...more, hint });
  }
  if (saysNoSpace(said)) {
    const hint = 'free some space on the disk of the store, or let KILN_STORE name another place';
    return new BuildError('NO_SPACE', `${name}: ${step.failure}: ${said}`, { ...more, hint });
  }
  return new BuildError(step.code, `${name}: ${step.failure}: ${said}`, more);
}
