/** What a tree has: where its specs are, and the macro files that it reads them with. */
import type { Tree } from '@nx/devkit';
import { BuildError } from '@kiln/diagnostics';
import type { DistroConfig } from '@kiln/distribution';

/** The named roots, or `SPECS` and `SPECS-*`; each must be there. @throws BuildError `SPEC_ROOTS_MISSING` */
export function findSpecRoots(tree: Tree, named: readonly string[]): string[] {
  const found =
    named.length > 0
      ? named.map((root) => root.replace(/\/+$/, ''))
      : tree
          .children('.')
          .filter((name) => /^SPECS(-|$)/.test(name) && !tree.isFile(name))
          .sort();
  const missing = found.find((root) => !tree.exists(root) || tree.isFile(root));
  if (found.length > 0 && missing === undefined) return found;
  const problem =
    missing === undefined ? "there is neither 'SPECS' nor 'SPECS-…'" : `there is no directory '${missing}'`;
  throw new BuildError('SPEC_ROOTS_MISSING', `${problem} in the workspace`, {
    hint: 'name the directories that have specs with --specRoots',
  });
}

/** `macros` is the main file, `macros.*` beside it are read before. @throws BuildError `INIT_OPTION_INVALID` */
export function macroFilesOf(tree: Tree, directory: string): DistroConfig['macros'] {
  const place = directory.replace(/\/+$/, '');
  if (!tree.isFile(`${place}/macros`)) {
    throw new BuildError('INIT_OPTION_INVALID', `--macros: there is no file '${place}/macros'`, {
      hint: 'name the directory that has the main macro file, called macros',
    });
  }
  const additional = tree
    .children(place)
    .filter((name) => name.startsWith('macros.') && tree.isFile(`${place}/${name}`));
  return { main: `${place}/macros`, additional: additional.sort().map((name) => `${place}/${name}`) };
}
