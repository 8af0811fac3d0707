/** The files that definitions refer to, through which the outside world is seen. */

/** All paths are relative to the workspace and use `/`. */
export interface DefinitionFiles {
  /** The text of a file; undefined when there is none. */
  readonly read: (path: string) => string | undefined;
  /** What lies at a path, with symbolic links followed; undefined when there is nothing. */
  readonly inspect: (path: string) => LocalFile | undefined;
}

export interface LocalFile {
  readonly type: 'file' | 'directory' | 'other';
  /** Without symbolic links; begins with `..` when it lies outside of the workspace. */
  readonly realPath: string;
  /** Whether its owner may execute it. */
  readonly executable: boolean;
  /** What is below a directory, in the order of the paths. */
  readonly entries?: readonly LocalEntry[];
}

/** A file below a directory; links are not followed. */
export interface LocalEntry {
  /** Relative to the directory. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly executable: boolean;
  /** Of a link, as it is written. */
  readonly target?: string;
}

/** `path` relative to the directory of `file`, with `.` and `..` resolved. */
export function resolvePath(file: string, path: string): string {
  const steps = path.startsWith('/') ? [] : file.split('/').slice(0, -1);
  for (const step of path.split('/')) {
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return (path.startsWith('/') || file.startsWith('/') ? '/' : '') + steps.filter((step) => step !== '').join('/');
}

/** Whether `path` lies in the directory of `file`; both without links and dots. */
export function isBeside(file: string, path: string): boolean {
  const directory = file.slice(0, file.lastIndexOf('/') + 1);
  return path.startsWith(directory) && !path.startsWith('../') && (directory !== '' || !path.startsWith('/'));
}
