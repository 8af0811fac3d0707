/** Unpacks locked Debian packages into a directory, as the build user, without running anything of them. */
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, inParallel, type Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import { MERGE_LINKS, TOOLS_RECIPE, type LayerRecipe } from './layer-recipe.ts';
import type { LockedPackage } from './toolchain-lock.ts';

const PARALLEL = 4;

/** Tells the package's control fields, then the names of its files. dpkg-deb checks the archive, tar never leaves the directory. */
const UNPACK_SCRIPT = `
set -euo pipefail
dpkg-deb --field "$1" Package Version Architecture
echo
dpkg-deb --fsys-tarfile "$1" | tar --extract --verbose --directory "$2" --keep-directory-symlink --no-same-owner \\
  --no-same-permissions --mode=u+rwX,go+rX,go-w --delay-directory-restore "\${@:3}"
`;

/**
 * Unpacks packages that are in the store. Returns for each path (below the root) the package that owns it.
 * @throws BuildError `TOOLCHAIN_PACKAGE_UNREADABLE`, `TOOLCHAIN_LOCK_MALFORMED` when a package is not what the lock calls it.
 */
export async function unpackPackages(
  host: Host,
  store: Store,
  options: {
    readonly packages: readonly LockedPackage[];
    readonly directory: string;
    readonly recipe?: LayerRecipe;
    readonly onProgress?: (done: number) => void;
  },
): Promise<Map<string, string>> {
  const { packages, directory, recipe = TOOLS_RECIPE } = options;
  const user = await buildUser(host);
  await giveToBuildUser(user, directory);
  for (const [link, target] of MERGE_LINKS) {
    // `usr` and the like are made on the way.
    const path = join(directory, link);
    await mkdir(dirname(path), { recursive: true });
    await mkdir(join(dirname(path), target), { recursive: true });
    await giveToBuildUser(user, dirname(path));
    await giveToBuildUser(user, join(dirname(path), target));
    await symlink(target, path);
  }
  const owners = new Map<string, string>();
  let done = 0;
  await inParallel(packages, PARALLEL, async (one) => {
    const archive = store.blobPath(one.sha256);
    for (const path of await unpackOne(host, one, { archive, directory, recipe, prefix: user.prefix }))
      owners.set(path, one.name);
    done += 1;
    options.onProgress?.(done);
  });
  return owners;
}

async function unpackOne(
  host: Host,
  one: LockedPackage,
  {
    archive,
    directory,
    recipe,
    prefix,
  }: {
    readonly archive: string;
    readonly directory: string;
    readonly recipe: LayerRecipe;
    readonly prefix: readonly string[];
  },
): Promise<string[]> {
  const excludes = recipe.notUnpacked.map((path) => `--exclude=${path}`);
  const shell = ['bash', '--norc', '--noprofile', '-c', UNPACK_SCRIPT, 'unpack'];
  const result = await host.run({
    argv: [...prefix, ...shell, archive, directory, '--anchored', '--no-wildcards', ...excludes] as unknown as [
      string,
      ...string[],
    ],
    cwd: '/',
    environment: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C.UTF-8' },
  });
  if (result.status !== 0) {
    const said = result.stderr.trim().split('\n').slice(0, 3).join('\n');
    if (/No space left/.test(said)) throw Object.assign(new Error(said), { code: 'ENOSPC' });
    throw new BuildError('TOOLCHAIN_PACKAGE_UNREADABLE', `the Debian package ${one.path} can't be unpacked: ${said}`);
  }
  const [control, names] = result.stdout.split(/\n\n/, 2) as [string, string | undefined];
  const expected = `Package: ${one.name}\nVersion: ${one.version}\nArchitecture: ${one.architecture}`;
  if (control !== expected) {
    throw new BuildError(
      'TOOLCHAIN_LOCK_MALFORMED',
      `the lock calls a package '${one.name} ${one.version}', it is: ${control.replaceAll('\n', ', ')}`,
      {
        hint: 'make the lock again with `kiln lock-toolchain`',
      },
    );
  }
  return (names ?? '')
    .split('\n')
    .filter((name) => name !== '' && !name.endsWith('/'))
    .map(mergedPath);
}

/** The path of a package's file after the merge of `/usr`, below the root. */
function mergedPath(name: string): string {
  const path = name.replace(/^\.\//, '');
  for (const [link, target] of MERGE_LINKS) {
    if (!path.startsWith(`${link}/`)) continue;
    const parent = dirname(link);
    return `${parent === '.' ? '' : `${parent}/`}${target}/${path.slice(link.length + 1)}`;
  }
  return path;
}
