/** One bit of an object in the store is flipped, with the time of its file as it was; it must be noticed and made again when it is used. */
import { lstatSync, readdirSync, readFileSync, rmSync, chmodSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import type { SmallTree } from '../e2e/small-tree.ts';
import { build, problemsAfter } from './faulted-tree.ts';

export interface Flipped {
  readonly kind: string;
  readonly path: string;
  readonly problems: readonly string[];
}

interface FlipCase {
  readonly kind: string;
  /** The file in the store. */
  path(tree: SmallTree): string;
  /** Makes the next run use it. */
  force(tree: SmallTree): void;
  /** What the output of that run has, or what it builds. */
  readonly noticed: RegExp | string;
}

interface ShownManifest {
  readonly key: string;
  readonly files: Readonly<Record<string, { readonly sha256: string }>>;
}

const manifest = ({ root }: SmallTree, task: string): ShownManifest =>
  JSON.parse(readFileSync(join(root, `dist/manifests/x86_64/${task}.json`), 'utf8')) as ShownManifest;

const resultPath = (tree: SmallTree, task: string) => {
  const { key } = manifest(tree, task);
  return join(tree.store, 'ac', key.slice(0, 2), `${key}.json`);
};

const blobPath = ({ store }: SmallTree, digest: string) => join(store, 'cas', digest.slice(0, 2), digest);

const rpmBlob = (tree: SmallTree, task: string, name: RegExp) =>
  blobPath(tree, Object.entries(manifest(tree, task).files).find(([path]) => name.test(path))![1].sha256);

/** All files of layers with that name at the end. */
const inLayers = ({ store }: SmallTree, layer: string, name: string): string =>
  readdirSync(join(store, 'layers'))
    .filter((key) => key.startsWith(layer))
    .flatMap((key) =>
      readdirSync(join(store, 'layers', key), { recursive: true }).map((path) =>
        join(store, 'layers', key, String(path)),
      ),
    )
    .filter((path) => path.endsWith(name) && lstatSync(path).isFile())
    .sort()[0]!;

const forgetResult = (task: string) => (tree: SmallTree) => rmSync(resultPath(tree, task));

const forgetRpms = (tree: SmallTree) => {
  const ids = readdirSync(join(tree.root, 'dist/manifests/x86_64/rpm'));
  for (const id of ids) forgetResult(`rpm/${id}/${id}`)(tree);
};

const CASES: readonly FlipCase[] = [
  {
    kind: 'result',
    path: (tree) => resultPath(tree, 'rpm/two/two'),
    force: () => undefined,
    noticed: 'rpm:two/two',
  },
  {
    kind: 'RPM that is shown',
    path: (tree) => rpmBlob(tree, 'rpm/three/three', /\/three-1\.0.*x86_64\.rpm$/),
    force: ({ root }) => rmSync(join(root, 'dist'), { recursive: true }),
    noticed: 'rpm:three/three',
  },
  {
    kind: 'RPM of a build root',
    path: (tree) => rpmBlob(tree, 'rpm/one/one', /one-devel/),
    force(tree) {
      forgetResult('rpm/two/two')(tree);
      for (const key of readdirSync(join(tree.store, 'layers')))
        if (/^rpm(db)?-/.test(key)) rmSync(join(tree.store, 'layers', key), { recursive: true });
    },
    noticed: 'rpm:one/one',
  },
  {
    kind: 'RPM of the repository',
    path: (tree) => rpmBlob(tree, 'rpm/two/two', /two-devel/),
    force: (tree) => rmSync(resultPath(tree, 'repository/kiln')),
    noticed: 'rpm:two/two',
  },
  {
    kind: 'layer',
    path: (tree) => inLayers(tree, 'rpm-', 'one.h'),
    force: forgetResult('rpm/two/two'),
    noticed: /LAYER_CHANGED/,
  },
  {
    kind: 'RPM database',
    path: (tree) => inLayers(tree, 'rpmdb-', 'rpmdb.sqlite'),
    force: forgetRpms,
    noticed: /LAYER_CHANGED/,
  },
  {
    kind: 'record of a layer',
    path: ({ store }) =>
      join(
        store,
        'seals',
        readdirSync(join(store, 'seals')).find((name) => name.startsWith('rpmdb-'))!,
      ),
    force: forgetRpms,
    noticed: 'rpm:two/two',
  },
  {
    kind: 'fetched source',
    path: (tree) => blobPath(tree, sha256(readFileSync(join(tree.root, '../upstream/alone.c')))),
    force: forgetResult('rpm/alone/alone'),
    noticed: 'rpm:alone/alone',
  },
];

export const FLIP_KINDS: readonly string[] = CASES.map(({ kind }) => kind);

/** Flips a bit that `chance` (from 0 to 1) chooses, in a store where everything is built, and builds. */
export async function flipAndRun(
  tree: SmallTree,
  kind: string,
  { chance, undisturbed }: { readonly chance: number; readonly undisturbed: ReadonlyMap<string, string> },
): Promise<Flipped> {
  const flip = CASES.find((one) => one.kind === kind)!;
  const path = flip.path(tree);
  const before = readFileSync(path);
  flipBit(path, chance);
  flip.force(tree);
  const { built, output } = await build(tree);
  const { noticed } = flip;
  const isNoticed = typeof noticed === 'string' ? built.includes(noticed) : noticed.test(output);
  const problems = problemsAfter(tree, undisturbed);
  if (!isNoticed) problems.push(`nothing was noticed; built: ${built.join(' ')}`);
  if (isStillDamaged(path, before)) problems.push('the damaged file is still there');
  return { kind, path: path.slice(tree.store.length + 1), problems };
}

function flipBit(path: string, chance: number): void {
  const { atime, mtime } = lstatSync(path);
  const bytes = readFileSync(path);
  const bit = Math.floor(chance * bytes.length * 8);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  chmodSync(path, lstatSync(path).mode | 0o200);
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

/** Records of layers have times in them, so that a new one differs; it has to be JSON with the same members. */
function isStillDamaged(path: string, before: Buffer): boolean {
  const now = readFileSync(path);
  if (!path.includes('/seals/')) return !now.equals(before);
  const members = (text: Buffer) => Object.keys(JSON.parse(text.toString()) as object).join();
  return members(now) !== members(before);
}
