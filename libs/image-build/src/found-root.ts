/** A root as it is at some moment: all of its files, and the texts of those that count. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CUSTOMIZING, runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import { parseScan, RootPaths, SCAN_FORMAT, type ScannedFile } from './root-scan.ts';

export class FoundRoot {
  readonly files: readonly ScannedFile[];
  readonly paths: RootPaths;
  /** By the path under which they were asked for. */
  readonly texts: Readonly<Record<string, string>>;

  constructor(files: readonly ScannedFile[], texts: Readonly<Record<string, string>>) {
    this.files = files;
    this.paths = new RootPaths(files);
    this.texts = texts;
  }

  /** Undefined when it isn't there, or wasn't asked for. */
  text(path: string): string | undefined {
    return this.texts[path];
  }
}

/** What find says of the root, in the output directory. */
export const SCAN = 'scan';

/** Of bash: lists the root. */
export const SCAN_COMMAND = `(cd ${ROOT} && find . -printf '${SCAN_FORMAT}' > ${OUTPUT}/${SCAN})`;

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

/** Lists the root and reads it, see `foundRoot`. @throws BuildError `IMAGE_CUSTOMIZE_FAILED` */
export async function readRoot(stage: ImageStage, textPaths: readonly string[]): Promise<FoundRoot> {
  await runScript(stage, { ...CUSTOMIZING, script: SCAN_COMMAND, failure: 'the root could not be listed' });
  return foundRoot(stage, textPaths);
}

/**
 * The root by its listing, and the texts of those of the paths that are regular files; links are followed in the root.
 * @throws BuildError `IMAGE_CUSTOMIZE_FAILED`
 */
export async function foundRoot(stage: ImageStage, textPaths: readonly string[]): Promise<FoundRoot> {
  const files = await scannedFiles(stage);
  const paths = new RootPaths(files);
  const found = textPaths.flatMap((path) => {
    const file = paths.follow(path);
    return file?.type === 'f' ? [{ path, real: file.path }] : [];
  });
  const words = found.map(({ real }) => real);
  const failure = 'files of the root could not be read';
  await runScript(stage, { ...CUSTOMIZING, script: READ_SCRIPT, words, failure });
  const copies = join(stage.directories.output, 'read');
  const texts: Record<string, string> = {};
  for (const [index, { path }] of found.entries()) texts[path] = await readFile(join(copies, String(index)), 'utf8');
  // It may have hashes of passwords.
  await rm(copies, { recursive: true });
  return new FoundRoot(files, texts);
}

/** The root as it was when it was listed last. */
export async function scannedFiles({ directories }: ImageStage): Promise<ScannedFile[]> {
  return parseScan(await readFile(join(directories.output, SCAN), 'utf8'));
}
