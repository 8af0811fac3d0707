/** An upstream tree to import: a directory, or a revision of a git repository. Nothing of it is executed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, readlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, resolve } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import type { PathContent, UpstreamOrigin } from './upstream-lock.ts';

export interface UpstreamTree extends UpstreamOrigin {
  /** Where the files are. */
  readonly directory: string;
}

export interface UpstreamRequest {
  readonly from: string;
  readonly ref?: string;
  readonly roots: readonly string[];
}

/** What `git archive` and checkouts would otherwise change, for all paths: files are taken byte by byte. */
const PLAIN_ATTRIBUTES = '* -text -eol -ident -filter -working-tree-encoding -export-ignore -export-subst\n';
const GIT = ['git', '-c', 'fetch.fsckObjects=true', '-c', 'protocol.ext.allow=never', '-c', 'gc.auto=0'] as const;

/**
 * The tree at `from`: a directory is used where it is; with a `ref` it is a git repository, as everything is that is no directory. Git
 * fetches the one revision into `work`.
 * @throws BuildError `UPSTREAM_UNREADABLE`
 */
export async function openUpstream(host: Host, request: UpstreamRequest, work: string): Promise<UpstreamTree> {
  const { from, ref } = request;
  const isDirectory = (await lstat(from).catch(() => undefined))?.isDirectory() === true;
  if (isDirectory && ref === undefined) return { from, directory: resolve(from) };
  if (ref === undefined) throw unreadable(from, 'no --ref is given', 'name a branch, a tag or a commit with --ref');
  if (!/^[\w][\w./+~-]*$/.test(ref) || ref.includes('..')) {
    throw unreadable(from, `'${ref}' is no name of a revision`, 'name a branch, a tag or a commit with --ref');
  }
  return fetchRevision(host, { ...request, ref, from: isDirectory ? resolve(from) : from }, work);
}

async function fetchRevision(
  host: Host,
  { from, ref, roots }: Required<UpstreamRequest>,
  work: string,
): Promise<UpstreamTree> {
  const [repository, archive, directory] = [join(work, 'git'), join(work, 'tree.tar'), join(work, 'tree')];
  const run = async (...argv: readonly [string, ...string[]]): Promise<string> => {
    const environment = { ...definedOnly(host.environment), GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
    const { status, stdout, stderr } = await host.run({ argv, environment, cwd: work });
    if (status === 0) return stdout.trim();
    throw unreadable(
      from,
      stderr.trim() || `${argv[0]} ended with status ${status}`,
      'check address, revision and roots',
    );
  };
  await mkdir(directory, { recursive: true });
  await run(...GIT, 'init', '--quiet', '--bare', '--template=', repository);
  await mkdir(join(repository, 'info'), { recursive: true });
  await writeFile(join(repository, 'info', 'attributes'), PLAIN_ATTRIBUTES);
  const git = [...GIT, `--git-dir=${repository}`] as const;
  await run(...git, 'fetch', '--quiet', '--depth=1', '--no-tags', '--', from, ref);
  const commit = await run(...git, 'rev-parse', '--verify', 'FETCH_HEAD^{commit}');
  const present = new Set((await run(...git, 'ls-tree', '-z', '--name-only', commit, '--', ...roots)).split('\0'));
  const found = roots.filter((root) => present.has(root));
  if (found.length > 0) {
    await run(...git, 'archive', '--format=tar', `--output=${archive}`, commit, '--', ...found);
    await run('tar', '-x', '--no-same-owner', '-f', archive, '-C', directory);
  }
  return { from, ref, commit, directory };
}

/** The files below the roots, by path. Links that lead out of their root are refused. @throws BuildError `UPSTREAM_LINK_OUTSIDE`, `UPSTREAM_UNREADABLE` */
export async function readUpstreamFiles(
  { directory, from }: UpstreamTree,
  roots: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const root of roots) {
    const top = await lstat(join(directory, root)).catch(() => undefined);
    if (top?.isDirectory() !== true) {
      throw unreadable(from, `it has no directory '${root}'`, 'name its spec roots with --root');
    }
    const entries = await readdir(join(directory, root), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (entry.isDirectory()) continue;
      const path = join(entry.parentPath, entry.name).slice(directory.length + 1);
      const content = await contentAt(join(directory, path));
      if (content === undefined || content === 'other')
        throw unreadable(from, `'${path}' is no plain file`, 'remove it upstream');
      if (content.startsWith(LINK)) checkLink(path, content.slice(LINK.length), root);
      found.set(path, content);
    }
  }
  return found;
}

const LINK = 'link ';

/** What stands at an absolute path; `other` where it is neither a file nor a link. */
export async function contentAt(file: string): Promise<PathContent | 'other'> {
  const status = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (status === undefined) return undefined;
  if (status.isSymbolicLink()) return `${LINK}${await readlink(file)}`;
  if (!status.isFile()) return 'other';
  const hash = createHash('sha256');
  for await (const part of createReadStream(file) as AsyncIterable<Buffer>) hash.update(part);
  return hash.digest('hex') + ((status.mode & 0o100) === 0 ? '' : ' executable');
}

function checkLink(path: string, target: string, root: string): void {
  const place = normalize(join(dirname(path), target));
  if (!target.startsWith('/') && place.startsWith(`${root}/`)) return;
  throw new BuildError('UPSTREAM_LINK_OUTSIDE', `the link '${path}' leads to '${target}', out of ${root}`, {
    hint: 'do not import this tree before the link is removed upstream',
  });
}

function definedOnly(environment: Host['environment']): Record<string, string> {
  const defined = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // A repository around us, as in a hook, is not the one that is meant.
  return Object.fromEntries(
    defined.filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY)$/.test(name)),
  );
}

function unreadable(from: string, found: string, hint: string): BuildError {
  return new BuildError('UPSTREAM_UNREADABLE', `${from} can't be imported: ${found}`, { hint });
}
