/** Changes of a root's tree, and how they are made: paths are resolved in the root first, so that no link leads out of it. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import type { ImageStage, JoinedScript } from './image-stage.ts';
import { placeLocalFile } from './local-files.ts';
import { OUTPUT, ROOT } from './install-packages.ts';
import { RootPaths, type ScannedFile } from './root-scan.ts';

interface Owned {
  /** Absolute in the root; missing parents are made. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export type TreeChange =
  | (Owned & { readonly type: 'file'; readonly content: string | LocalFile | RootFile })
  /** One that is there already stays as it is. */
  | (Owned & { readonly type: 'directory' })
  | {
      readonly type: 'link';
      readonly path: string;
      readonly target: string;
      readonly uid?: number;
      readonly gid?: number;
    }
  | { readonly type: 'remove'; readonly path: string };

/** A file of the workspace. */
export interface LocalFile {
  readonly source: string;
}

/** A regular file of the root, by its real path. */
export interface RootFile {
  readonly inRoot: string;
}

/** In the output directory: the list of changes, and the files to copy. */
const CHANGES = 'changes';

/**
 * Reads NUL-separated records of six fields: what, path, mode, uid, gid, and the file to copy or the target of a link. Nothing of the path is a
 * link when it comes here.
 */
const APPLY_SCRIPT = `
cd ${ROOT}
while IFS= read -r -d '' what && IFS= read -r -d '' path && IFS= read -r -d '' mode && IFS= read -r -d '' uid \\
  && IFS= read -r -d '' gid && IFS= read -r -d '' from; do
  case $what in
    directory) mkdir -- ".$path" ;;
    file)
      rm -f -- ".$path"
      cp --no-preserve=all -- "$from" ".$path"
      ;;
    link)
      rm -f -- ".$path"
      ln -s -- "$from" ".$path"
      ;;
    remove) rm -rf -- ".$path" ;;
  esac
  case $what in
    directory | file)
      chown "$uid:$gid" -- ".$path"
      chmod "$mode" -- ".$path"
      ;;
    link) chown --no-dereference "$uid:$gid" -- ".$path" ;;
  esac
done < ${OUTPUT}/${CHANGES}/list
`;

/**
 * Places what is needed; gives the script that makes the changes in their order, if there are any. `removeChanges` has to follow.
 * @throws BuildError `IMAGE_PATH_CONFLICT` when something else is at a path, `INPUT_CHANGED`
 */
export async function changeScripts(
  stage: ImageStage,
  changes: readonly TreeChange[],
  files: readonly ScannedFile[],
): Promise<JoinedScript[]> {
  const { places } = stage.request.definition;
  const planned = planChanges(changes, files, (path) => places[`file ${path}`]);
  if (planned.length === 0) return [];
  const scratch = join(stage.directories.output, CHANGES);
  await mkdir(scratch);
  const records: string[] = [];
  for (const [index, change] of planned.entries()) {
    let from = '';
    if (change.type === 'link') from = change.target;
    if (change.type === 'file') from = await placeContent(stage, change.content, { scratch, name: String(index) });
    const { mode = 0, uid = 0, gid = 0 } = change as Partial<Owned>;
    records.push(change.type, change.path, mode.toString(8), `${uid}`, `${gid}`, from);
  }
  await writeFile(join(scratch, 'list'), records.map((field) => `${field}\0`).join(''));
  return [{ script: APPLY_SCRIPT, failure: 'files could not be put into the root', code: 'IMAGE_CUSTOMIZE_FAILED' }];
}

/** Removes what was placed: there may be hashes of passwords in it. */
export async function removeChanges({ directories }: ImageStage): Promise<void> {
  await rm(join(directories.output, CHANGES), { recursive: true, force: true });
}

/** Gives the path of the content in the sandbox. */
async function placeContent(
  stage: ImageStage,
  content: string | LocalFile | RootFile,
  { scratch, name }: { readonly scratch: string; readonly name: string },
): Promise<string> {
  if (typeof content === 'string') await writeFile(join(scratch, name), content);
  else if ('inRoot' in content) return `${ROOT}${content.inRoot}`;
  else await placeLocalFile(stage.request, content.source, join(scratch, name));
  return `${OUTPUT}/${CHANGES}/${name}`;
}

/**
 * The changes with real paths and with the directories that are missing; without directories that are there.
 * @param placeOf where somebody wrote a path
 */
export function planChanges(
  changes: readonly TreeChange[],
  files: readonly ScannedFile[],
  placeOf: (path: string) => SourceLocation | undefined,
): TreeChange[] {
  const present = new Map(files.map((file) => [file.path, file]));
  const paths = new RootPaths(present);
  const planned: TreeChange[] = [];
  const conflict = (path: string, why: string) =>
    new BuildError('IMAGE_PATH_CONFLICT', `nothing can be put at '${path}': ${why}`, {
      location: placeOf(path),
      hint: 'take another path, or leave out the package that has it',
    });
  const note = (change: TreeChange, type: string, target?: string) => {
    planned.push(change);
    const entry = { path: change.path, type, size: 0, mode: 0, uid: 0, gid: 0 };
    present.set(change.path, target === undefined ? entry : { ...entry, target });
  };
  for (const change of changes) {
    const path = paths.real(change.path);
    if (change.type === 'remove') {
      const gone = [...present.keys()].filter((one) => one === path || one.startsWith(`${path}/`));
      for (const one of gone) present.delete(one);
      if (gone.length > 0) planned.push({ ...change, path });
      continue;
    }
    for (const parent of parentsOf(path)) {
      const found = present.get(parent);
      if (found === undefined) note({ type: 'directory', path: parent, mode: 0o755, uid: 0, gid: 0 }, 'd');
      else if (found.type !== 'd') throw conflict(change.path, `'${parent}' is not a directory`);
    }
    const found = present.get(path);
    if (change.type === 'directory') {
      if (paths.follow(path)?.type === 'd') continue;
      if (found !== undefined) throw conflict(change.path, 'it is there and not a directory');
      note({ ...change, path }, 'd');
    } else {
      if (found?.type === 'd') throw conflict(change.path, 'it is a directory');
      if (change.type === 'link') note({ ...change, path }, 'l', change.target);
      else note({ ...change, path }, 'f');
    }
  }
  return planned;
}

/** From the top, without the root and the path itself. */
function parentsOf(path: string): string[] {
  const steps = path.split('/').slice(1, -1);
  return steps.map((_, index) => `/${steps.slice(0, index + 1).join('/')}`);
}
