/** A root as it is at some moment: all of its files, and the texts of those that count. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CUSTOMIZING, runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import { parseScan, RootPaths, SCAN_FORMAT, type ScannedFile } from './root-scan.ts';

export interface FoundRoot {
  readonly files: readonly ScannedFile[];
  readonly paths: RootPaths;
  /** Undefined when it isn't there. */
  readonly text: (path: string) => string | undefined;
}

const SCAN_SCRIPT = `cd ${ROOT} && find . -printf '${SCAN_FORMAT}' > ${OUTPUT}/scan`;

/** Arguments: real paths in the root; copies of them get the names 0, 1, ... */
const READ_SCRIPT = `
cd ${ROOT}
rm -rf ${OUTPUT}/read
mkdir ${OUTPUT}/read
number=0
for path in "$@"; do
  cat ".$path" > "${OUTPUT}/read/$number"
  number=$((number + 1))
done
`;

/**
 * Reads the texts of those of the paths that are regular files; links are followed in the root.
 * @param first a script that runs before
 * @throws BuildError `IMAGE_CUSTOMIZE_FAILED`
 */
export async function readRoot(stage: ImageStage, textPaths: readonly string[], first?: string): Promise<FoundRoot> {
  const files = await scanRoot(stage, first);
  const paths = new RootPaths(files);
  const found = textPaths.flatMap((path) => {
    const file = paths.follow(path);
    return file?.type === 'f' ? [{ path, real: file.path }] : [];
  });
  const words = found.map(({ real }) => real);
  await runScript(stage, {
    ...CUSTOMIZING,
    script: READ_SCRIPT,
    words,
    failure: 'files of the root could not be read',
  });
  const copies = join(stage.directories.output, 'read');
  const texts = new Map<string, string>();
  for (const [index, { path }] of found.entries()) texts.set(path, await readFile(join(copies, String(index)), 'utf8'));
  // It may have hashes of passwords.
  await rm(copies, { recursive: true });
  return { files, paths, text: (path) => texts.get(path) };
}

/** @param first a script that runs before. @throws BuildError `IMAGE_CUSTOMIZE_FAILED` */
export async function scanRoot(stage: ImageStage, first = ''): Promise<ScannedFile[]> {
  const script = `${first}\n${SCAN_SCRIPT}`;
  await runScript(stage, { ...CUSTOMIZING, script, failure: 'the root could not be listed' });
  return parseScan(await readFile(join(stage.directories.output, 'scan'), 'utf8'));
}
