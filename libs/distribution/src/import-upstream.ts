/** Brings an upstream tree of specs under the spec roots, again and again: what was changed here is never overwritten unasked. */
import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { digestOf } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { withFileLock, writeFileAtomic, type Host } from '@kiln/host';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';
import { readDistroConfig } from './read-distro-config.ts';
import { planImport, type ImportConflict, type ImportPlan } from './plan-import.ts';
import { compareReplacements, unreplacedNames, type ReplacedSpec } from './replacements.ts';
import {
  formatUpstreamLock,
  readUpstreamLock,
  UPSTREAM_LOCK,
  type TreeContent,
  type UpstreamLock,
  type UpstreamOrigin,
} from './upstream-lock.ts';
import { contentAt, openUpstream, readUpstreamFiles, type UpstreamTree } from './upstream-tree.ts';

export interface ImportOptions {
  /** A directory, or the address of a git repository; that of the last import when omitted. */
  readonly from?: string;
  readonly ref?: string;
  /** Spec roots to import; those of the last import, else all that upstream may have, when empty. */
  readonly roots?: readonly string[];
  /** What is done about files that were changed here and upstream: nothing at all, or one side wins. */
  readonly onConflict?: 'stop' | 'local' | 'upstream';
  readonly dryRun?: boolean;
}

export interface ImportReport extends ImportPlan {
  readonly upstream: UpstreamOrigin;
  readonly roots: readonly string[];
  /** Specs, by path. */
  readonly specs: {
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  };
  /** The specs that `replaces` in distro.json puts aside, with the versions of both sides. */
  readonly replaced: readonly ReplacedSpec[];
  /** Local specs with the name of an upstream spec that `replaces` doesn't mention: both are planned. */
  readonly sameNames: readonly { readonly spec: string; readonly upstream: string }[];
  /** Whether files were written; not in a dry run and when conflicts stopped it. */
  readonly applied: boolean;
}

const STAGING = 'dist/import';
const WORK = 'work-';

/**
 * Imports, or says what an import would do. Everything is fetched, compared and staged before the first file of the tree changes; then
 * files are renamed into place one by one. When that is interrupted, the lock says so, and the same import finishes it.
 * @throws BuildError `UPSTREAM_UNREADABLE`, `UPSTREAM_LINK_OUTSIDE`, `UPSTREAM_LOCK_INVALID`, `IMPORT_ROOT_UNKNOWN`, `IMPORT_PATH_BLOCKED`,
 * `IMPORT_UNFINISHED`, `IMPORT_SOURCE_UNSET`, `DISTRO_CONFIG_*`
 */
export async function importUpstream(host: Host, root: string, options: ImportOptions): Promise<ImportReport> {
  const config = readDistroConfig(root);
  await mkdir(join(root, STAGING), { recursive: true });
  return withFileLock(
    join(root, STAGING, 'lock'),
    async () => {
      // Left by runs that were killed: the lock says that none is at work.
      for (const name of (await readdir(join(root, STAGING))).filter((one) => one.startsWith(WORK))) {
        await rm(join(root, STAGING, name), { recursive: true, force: true });
      }
      const work = await mkdtemp(join(root, STAGING, WORK));
      try {
        return await importInto(host, { root, config, work, options });
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    { signal: host.signal },
  );
}

interface ImportContext {
  readonly root: string;
  readonly config: DistroConfig;
  readonly work: string;
  readonly options: ImportOptions;
}

async function importInto(host: Host, context: ImportContext): Promise<ImportReport> {
  const { root, config, work, options } = context;
  const lock = await readUpstreamLock(root);
  const request = importRequest(config, lock, options);
  const tree = await openUpstream(host, request, work);
  const roots = options.roots?.length || lock !== undefined ? request.roots : await presentRoots(tree, request.roots);
  const upstream = await readUpstreamFiles(tree, roots);
  const digest = digestOf(Object.fromEntries(upstream));
  refuseUnfinished(lock, digest);

  const base = new Map(Object.entries(lock?.files ?? {}));
  const local = await readLocal(root, new Set([...base.keys(), ...upstream.keys()]));
  const plan = resolveConflicts(planImport({ base, upstream, local }), upstream, options);
  const origin: UpstreamOrigin = {
    from: tree.from,
    ...(tree.ref === undefined ? {} : { ref: tree.ref }),
    ...(tree.commit === undefined ? {} : { commit: tree.commit }),
  };
  const isApplied = options.dryRun !== true && (plan.conflicts.length === 0 || stopOf(options) !== 'stop');
  if (isApplied) {
    const next: UpstreamLock = { version: 1, ...origin, roots, files: Object.fromEntries(upstream) };
    const unfinished = { ...(lock ?? { ...next, files: {} }), unfinished: digest };
    host.signal.throwIfAborted();
    await applyPlan(context, tree, { plan, upstream, unfinished, next });
  }
  return {
    upstream: origin,
    roots,
    ...plan,
    specs: specsOf(plan),
    replaced: await compareReplacements({ root, config, upstream: tree.directory, fromUpstream: upstream }),
    sameNames: unreplacedNames(root, config, upstream),
    applied: isApplied,
  };
}

function stopOf({ onConflict = 'stop' }: ImportOptions): 'stop' | 'local' | 'upstream' {
  return onConflict;
}

function importRequest(config: DistroConfig, lock: UpstreamLock | undefined, { from, ref, roots }: ImportOptions) {
  const source = from ?? lock?.from;
  if (source === undefined) {
    throw new BuildError('IMPORT_SOURCE_UNSET', 'nothing was imported yet, and no source is named', {
      hint: 'name the address of a git repository, or a directory',
    });
  }
  const revision = ref ?? (from === undefined || from === lock?.from ? lock?.ref : undefined);
  const wanted = roots?.length ? roots : (lock?.roots ?? config.specRoots);
  const unknown = wanted.find((one) => !config.specRoots.some((known) => normalize(known) === normalize(one)));
  if (unknown !== undefined) {
    throw new BuildError('IMPORT_ROOT_UNKNOWN', `'${unknown}' is no spec root of the workspace`, {
      location: { file: DISTRO_FILE, line: 1 },
      hint: `add it to 'specRoots'; there are: ${config.specRoots.join(', ')}`,
    });
  }
  const kept = (lock?.roots ?? []).filter((one) => !wanted.includes(one));
  return { from: source, roots: [...wanted, ...kept], ...(revision === undefined ? {} : { ref: revision }) };
}

/** The first import takes what there is of the workspace's roots. */
async function presentRoots(tree: UpstreamTree, roots: readonly string[]): Promise<readonly string[]> {
  const present = await Promise.all(roots.map((one) => lstat(join(tree.directory, one)).catch(() => undefined)));
  const found = roots.filter((_, index) => present[index]?.isDirectory() === true);
  return found.length > 0 ? found : roots;
}

function refuseUnfinished(lock: UpstreamLock | undefined, digest: string): void {
  if (lock?.unfinished === undefined || lock.unfinished === digest) return;
  throw new BuildError('IMPORT_UNFINISHED', 'the last import was interrupted and was of another revision', {
    location: { file: UPSTREAM_LOCK, line: 1 },
    hint: 'repeat that import first, or restore the spec roots and the lock from version control',
  });
}

/** Contents at the paths. Nothing is read or written through a link: each directory above must be one. */
async function readLocal(root: string, paths: ReadonlySet<string>): Promise<TreeContent> {
  const found = new Map<string, string>();
  const checked = new Map<string, Promise<boolean>>();
  const isBelowDirectories = (directory: string): Promise<boolean> => {
    if (directory === '.') return Promise.resolve(true);
    const known = checked.get(directory);
    if (known !== undefined) return known;
    const answer = isBelowDirectories(dirname(directory)).then(async (isBelow) => {
      const status = isBelow ? await lstat(join(root, directory)).catch(() => undefined) : undefined;
      if (status === undefined || status.isDirectory()) return status !== undefined;
      throw blocked(directory, status.isSymbolicLink() ? 'a link' : 'a file');
    });
    checked.set(directory, answer);
    return answer;
  };
  for (const path of paths) {
    if (normalize(path) !== path || path.startsWith('..') || path.startsWith('/'))
      throw blocked(path, 'no path below the tree');
    if (!(await isBelowDirectories(dirname(path)))) continue;
    const content = await contentAt(join(root, path));
    if (content === 'other') throw blocked(path, 'a directory or device');
    if (content !== undefined) found.set(path, content);
  }
  return found;
}

function blocked(path: string, found: string): BuildError {
  return new BuildError('IMPORT_PATH_BLOCKED', `'${path}' is ${found} in this workspace`, {
    hint: 'move it away: an import writes files into plain directories only',
  });
}

/** With `upstream`, conflicts become changes like others. */
function resolveConflicts(plan: ImportPlan, upstream: TreeContent, options: ImportOptions): ImportPlan {
  if (stopOf(options) !== 'upstream') return plan;
  const paths = plan.conflicts.map(({ path }) => path);
  return {
    ...plan,
    updated: [...plan.updated, ...paths.filter((path) => upstream.has(path))].sort(),
    removed: [...plan.removed, ...paths.filter((path) => !upstream.has(path))].sort(),
  };
}

interface ImportSteps {
  readonly plan: ImportPlan;
  readonly upstream: TreeContent;
  readonly unfinished: UpstreamLock;
  readonly next: UpstreamLock;
}

async function applyPlan({ root, work }: ImportContext, tree: UpstreamTree, steps: ImportSteps): Promise<void> {
  const { plan, upstream, unfinished, next } = steps;
  const written = [...plan.added, ...plan.updated];
  const staged = join(work, 'staged');
  for (const path of written) await stage(join(tree.directory, path), join(staged, path), upstream.get(path)!);
  const lockFile = join(root, UPSTREAM_LOCK);
  if (written.length + plan.removed.length > 0) await writeFileAtomic(lockFile, formatUpstreamLock(unfinished));
  for (const path of plan.removed) {
    await rm(join(root, path), { force: true });
    await removeEmpty(root, dirname(path), next.roots);
  }
  for (const path of written) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await rename(join(staged, path), join(root, path));
  }
  await writeFileAtomic(lockFile, formatUpstreamLock(next));
}

async function stage(from: string, to: string, content: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (content.startsWith('link ')) return symlink(content.slice('link '.length), to);
  await copyFile(from, to);
  await chmod(to, content.endsWith(' executable') ? 0o755 : 0o644);
  if ((await contentAt(to)) === content) return;
  throw new BuildError('UPSTREAM_UNREADABLE', `${from} was changed while it was imported`, { hint: 'import again' });
}

/** Directories that became empty, up to the root. */
async function removeEmpty(root: string, directory: string, roots: readonly string[]): Promise<void> {
  for (let one = directory; one !== '.' && !roots.includes(one); one = dirname(one)) {
    const removed = await rmdir(join(root, one)).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

function specsOf({ added, updated, removed, conflicts }: ImportPlan): ImportReport['specs'] {
  const inConflict = new Set(conflicts.map(({ path }: ImportConflict) => path));
  const specs = (paths: readonly string[]) => paths.filter((path) => path.endsWith('.spec'));
  return {
    added: specs(added),
    changed: specs(updated).filter((path) => !inConflict.has(path)),
    removed: specs(removed),
  };
}
