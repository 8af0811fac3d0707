/** A tree of ten packages that are built again and again, each time disturbed in another way. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { kilnCommand, run, type Ran } from '../e2e/run-kiln.ts';
import { addLibrary, commit, edit, makeSmallTree, write, type SmallTree } from '../e2e/small-tree.ts';
import { emptyStore, sharedStore } from '../e2e/test-store.ts';

/** What is built, in every run. */
export const TASK = kilnCommand('repository');

/** Makes the tree and a store with nothing but the toolchain below `directory`. */
export async function makeFaultedTree(
  directory: string,
  { packages }: { readonly packages: 4 | 10 },
): Promise<SmallTree> {
  const tree = makeSmallTree(join(directory, 'tree'), await sharedStore(directory));
  if (packages === 10) {
    addLibrary(tree, 'four', ['one']);
    addLibrary(tree, 'five', ['two', 'four']);
    addLibrary(tree, 'six', ['five']);
    addLibrary(tree, 'seven', []);
    addLibrary(tree, 'eight', ['seven']);
    addLibrary(tree, 'nine', ['seven', 'two']);
  }
  fetchSource(tree, 'alone', join(directory, 'upstream'));
  commit(tree, 'What is built');
  return tree;
}

/** Makes the source of a package one that is fetched and kept in the store. */
function fetchSource(tree: SmallTree, name: string, upstream: string): void {
  mkdirSync(upstream, { recursive: true });
  cpSync(join(tree.root, `SPECS/${name}/${name}.c`), join(upstream, `${name}.c`));
  rmSync(join(tree.root, `SPECS/${name}/${name}.c`));
  edit(tree, `SPECS/${name}/${name}.spec`, (text) =>
    text.replace(`Source0:        ${name}.c`, `Source0:        file://${join(upstream, `${name}.c`)}`),
  );
  const config = JSON.parse(readFileSync(join(tree.root, 'toolkit/distro.json'), 'utf8')) as { sources: object };
  const sources = { ...config.sources, places: [{ from: 'spec-url' }] };
  write(tree.root, 'toolkit/distro.json', `${JSON.stringify({ ...config, sources }, undefined, 2)}\n`);
}

/** Forgets everything that was built. */
export function forget(tree: SmallTree): void {
  emptyStore(tree.store);
  rmSync(join(tree.root, 'dist'), { recursive: true, force: true });
}

/** Builds everything. @throws Error with its output when that fails. */
export async function build(tree: SmallTree): Promise<Ran> {
  const ran = await run(tree, TASK);
  if (ran.status !== 0) throw new Error(`the run failed with status ${ran.status}:\n${ran.output}`);
  return ran;
}

/** SHA-256 of every file that people get, by its path below `dist/`: RPMs and the repository. The ledger is a record, no result. */
export function shownDigests(tree: SmallTree): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  const visit = (path: string) => {
    for (const entry of readdirSync(join(tree.root, path), { withFileTypes: true })) {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) visit(inside);
      else if (entry.name !== 'ledger.json')
        digests.set(
          inside,
          createHash('sha256')
            .update(readFileSync(join(tree.root, inside)))
            .digest('hex'),
        );
    }
  };
  for (const place of ['rpms', 'srpms', 'repository'].map((name) => join('dist', name)))
    if (existsSync(join(tree.root, place))) visit(place);
  return digests;
}

/** What differs from the undisturbed run, and what lies about in the store; nothing when all is well. */
export function problemsAfter(tree: SmallTree, undisturbed: ReadonlyMap<string, string>): string[] {
  const found = shownDigests(tree);
  const names = new Set([...found.keys(), ...undisturbed.keys()]);
  const differing = [...names]
    .filter((name) => found.get(name) !== undisturbed.get(name))
    .map((name) => `${name} differs`);
  const places = [join(tree.store, 'work'), join(tree.store, 'tmp'), join(tree.root, 'dist/.shown/tmp')];
  const left = places.flatMap((place) => readdirSync(place).map((name) => `${join(place, name)} is left`));
  return [...differing, ...left];
}
