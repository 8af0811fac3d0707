/** Files of a test, without a disk. */
import type { DefinitionFiles, LocalEntry, LocalFile } from '../src/index.ts';

/** Texts as they are, other values as JSON; `{ linkTo }` is a symbolic link, `{ executable }` a program. */
export function memoryFiles(files: Readonly<Record<string, unknown>>): DefinitionFiles {
  const special = (path: string) => (files[path] ?? {}) as { readonly linkTo?: string; readonly executable?: string };
  const read = (path: string): string | undefined => {
    const content = files[path];
    if (content === undefined || typeof content === 'string') return content;
    return special(path).executable ?? JSON.stringify(content, undefined, 2);
  };
  const entry = (path: string): Omit<LocalEntry, 'path'> => {
    const { linkTo, executable } = special(path);
    if (linkTo !== undefined) return { type: 'link', executable: false, target: linkTo };
    return { type: 'file', executable: executable !== undefined };
  };
  const inspect = (path: string): LocalFile | undefined => {
    const { linkTo, executable } = special(path);
    if (linkTo !== undefined) {
      const target = inspect(linkTo);
      return target === undefined ? undefined : { ...target, realPath: linkTo };
    }
    if (path in files) return { type: 'file', realPath: path, executable: executable !== undefined };
    const below = Object.keys(files).filter((one) => one.startsWith(`${path}/`));
    if (below.length === 0) return undefined;
    const entries = below.sort().map((one) => ({ path: one.slice(path.length + 1), ...entry(one) }));
    return { type: 'directory', realPath: path, executable: true, entries };
  };
  return { read, inspect };
}
