/** The root that stage A ends with: what the steps leave that it keeps, in one tree. */
import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type BuildUser, type Host } from '@kiln/host';
import { walkTree, type Store } from '@kiln/store';
import type { BootstrapPlan, PlannedStep } from './bootstrap-plan.ts';
import { TARGET_PLACE } from './bootstrap-recipe.ts';
import { stepFiles } from './bootstrap-step.ts';
import { refuseForeignTraces } from './foreign-traces.ts';
import { readManifest, type ManifestEntry } from './layer-manifest.ts';
import { LAYER_TIME } from './layer-recipe.ts';

/** Raise it when the same steps give another root. */
const ROOT_RECIPE_VERSION = 1;

/** Nobody reads them in a build. */
const NEVER_KEPT = /^usr\/share\/(bash-completion|doc|info|locale|man)(\/|$)/;

/** What packages bring themselves: a build must not find that of a step. */
const FOR_LINKING =
  /^usr\/(include|share\/aclocal|share\/pkgconfig|lib\/pkgconfig)(\/|$)|^usr\/lib\/[^/]+\.(a|la|o|so)$/;

/** Digest of all that decides the root. */
export function bootstrapRootIdentity({ steps }: Pick<BootstrapPlan, 'steps'>): Sha256 {
  return digestOf({
    recipeVersion: ROOT_RECIPE_VERSION,
    steps: steps.filter(({ kept }) => kept !== 'nothing').map(({ identity, kept }) => [identity, kept]),
  });
}

export function bootstrapRootKey(plan: Pick<BootstrapPlan, 'steps'>): string {
  return `bootstrap-root-${bootstrapRootIdentity(plan)}`;
}

/** Paths of a root in the store. */
export interface BootstrapRoot {
  readonly root: string;
  /** JSON list of `ManifestEntry`; owners are steps. */
  readonly manifestFile: string;
}

/**
 * Puts the files together; the steps must be done.
 * @throws BuildError `BOOTSTRAP_FILES_CLASH` when two steps have one file, `FOREIGN_TRACES`.
 */
export async function bootstrapRoot(host: Host, store: Store, plan: BootstrapPlan): Promise<BootstrapRoot> {
  const directory = await store.layer(
    bootstrapRootKey(plan),
    async (made) => {
      const root = join(made, 'root');
      mkdirSync(root, { mode: 0o755 });
      const owners = new Map<string, string>();
      for (const step of plan.steps) copyKept(step, { from: join(stepFiles(store, step), TARGET_PLACE), root, owners });
      const user = await buildUser(host);
      equalize(root, user);
      await giveToBuildUser(user, root);
      const manifest = readManifest(root, owners);
      refuseForeignTraces(root, manifest);
      await writeFile(join(made, 'manifest.json'), JSON.stringify(manifest satisfies ManifestEntry[]));
      await chmod(made, 0o755);
    },
    { checked: true },
  );
  return { root: join(directory, 'root'), manifestFile: join(directory, 'manifest.json') };
}

interface Copying {
  readonly from: string;
  readonly root: string;
  /** Path → step. */
  readonly owners: Map<string, string>;
}

function copyKept({ name, kept }: PlannedStep, { from, root, owners }: Copying): void {
  if (kept === 'nothing') return;
  for (const { path, type } of walkTree(from)) {
    if (NEVER_KEPT.test(path) || (kept === 'programs' && FOR_LINKING.test(path))) continue;
    const [source, copy] = [join(from, path), join(root, path)];
    if (type === 'directory') {
      mkdirSync(copy, { recursive: true });
      continue;
    }
    const other = owners.get(path);
    if (other !== undefined) {
      throw new BuildError('BOOTSTRAP_FILES_CLASH', `the steps '${other}' and '${name}' both leave /${path}`, {
        hint: 'let one of them not install it, or not be kept',
      });
    }
    owners.set(path, name);
    if (type === 'link') symlinkSync(readlinkSync(source), copy);
    else copyFileSync(source, copy, constants.COPYFILE_FICLONE);
  }
}

/** One owner, nothing privileged, all can be read, one time. */
function equalize(root: string, { prefix, uid, gid }: BuildUser): void {
  for (const { path, type } of walkTree(root)) {
    const full = join(root, path);
    if (prefix.length > 0) lchownSync(full, uid, gid);
    if (type === 'link') lutimesSync(full, LAYER_TIME, LAYER_TIME);
    else {
      const isProgram = type === 'directory' || (lstatSync(full).mode & 0o111) !== 0;
      chmodSync(full, isProgram ? 0o755 : 0o644);
      utimesSync(full, LAYER_TIME, LAYER_TIME);
    }
  }
  utimesSync(root, LAYER_TIME, LAYER_TIME);
}
