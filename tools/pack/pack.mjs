/** Compiles the libraries and packs each into a tarball: `node tools/pack/pack.mjs [directory]`, by default `dist/packages`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const destination = resolve(process.argv[2] ?? resolve(root, 'dist', 'packages'));

mkdirSync(destination, { recursive: true });
run(process.execPath, [resolve(root, 'tools/pack/build.mjs')]);
run('npm', ['pack', '--workspaces', '--silent', '--offline', '--pack-destination', destination]);

function run(program, args) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
