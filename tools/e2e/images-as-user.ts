/** Command: all images made by root, and again by a user without rights, elsewhere, with a store of his own; every file is compared. As root. */
import '../conformance/use-sources.ts';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Distribution as LoadedDistribution, ImageProject } from '@kiln/distribution';

const { loadDistribution, Session } = await import('@kiln/distribution');
const { createHost } = await import('@kiln/host');
const { makeBenchStore } = await import('../bench/bench-store.ts');
const { start } = await import('./run-kiln.ts');
const { REPOSITORY } = await import('./small-tree.ts');
const { shareImageTools } = await import('./test-store.ts');
const { UnprivilegedUser } = await import('./unprivileged-user.ts');

const HELP = `Usage: npx tsx tools/e2e/images-as-user.ts [--directory <path>] [<image>...]

Makes all images of this tree, or those that are named and what they install, as root, where they aren't made yet, then in a copy of the tree elsewhere by \`nx run-many -t image\` as a user who has nothing but
subordinate ids, with a store of his own that has the packages, and compares the files of each image. Ends with status 1 when one differs.

  --directory <path>  an existing directory for about 6 GB, removed at the end (the one for temporary files)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', default: false }, directory: { type: 'string', default: tmpdir() } },
});

if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const place = mkdtempSync(join(values.directory, 'kiln-images-as-user-'));
  chmodSync(place, 0o755);
  try {
    const session = new Session(await loadDistribution(REPOSITORY), createHost());
    const { config } = session.distribution;
    const images = wanted(session.distribution);
    for (const { name } of images) await session.run('image', name);
    const store = join(place, 'store');
    mkdirSync(store);
    await makeBenchStore(session, images, store);
    await shareImageTools(store);
    const root = join(place, 'elsewhere', 'tree');
    copyTree(root);
    const user = new UnprivilegedUser(place);
    symlinkSync(join(user.repository, 'node_modules'), join(root, 'node_modules'));
    user.own(root);
    user.own(store);
    const command = [join(user.repository, 'node_modules/.bin/nx'), 'run-many', '-t', 'image', '--outputStyle=static'];
    if (positionals.length > 0) command.push('-p', images.map(({ name }) => `image/${name}`).join(','));
    const { status, output } = await start({ root, store }, user.command(command)).ended;
    user.leave();
    console.log(output);
    const sums = (tree: string, name: string) => {
      const file = join(tree, 'dist/images', config.architecture, name, 'SHA256SUMS');
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    };
    const differing = images.filter(
      ({ name }) => sums(root, name) === '' || sums(root, name) !== sums(REPOSITORY, name),
    );
    const files = images.reduce((sum, { name }) => sum + sums(REPOSITORY, name).trim().split('\n').length, 0);
    console.log(
      `${images.length} images, ${files} files; different: ${differing.map(({ name }) => name).join(', ') || 'none'}`,
    );
    if (status !== 0 || differing.length > 0) process.exitCode = 1;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** The images that are named, after those that they install; all without names. */
function wanted(distribution: LoadedDistribution): readonly ImageProject[] {
  if (positionals.length === 0) return distribution.images;
  const withSystems = (name: string): readonly ImageProject[] => {
    const image = distribution.findImage(name);
    return [...(image.definition?.installer?.systems ?? []).flatMap((one) => withSystems(one.image)), image];
  };
  return [...new Set(positionals.flatMap(withSystems))];
}

/** The files that git knows, as they are now. */
function copyTree(to: string): void {
  mkdirSync(to, { recursive: true });
  execFileSync(
    'sh',
    ['-c', 'git ls-files -z | tar --null --files-from=- --create --file=- | tar -C "$1" -xf -', 'sh', to],
    {
      cwd: REPOSITORY,
    },
  );
}
