/** Compiles the libraries and packs each into a tarball: `node tools/pack/pack.mjs [directory]`, by default `dist/packages`. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const destination = resolve(process.argv[2] ?? join(root, 'dist', 'packages'));
const staging = join(destination, 'staging');

run(root, process.execPath, join(root, 'tools/pack/build.mjs'));
rmSync(staging, { recursive: true, force: true });
const staged = readdirSync(join(root, 'libs')).filter((library) =>
  existsSync(join(root, 'libs', library, 'package.json')),
);
for (const library of staged) stage(library);
run(destination, 'npm', 'pack', '--silent', '--offline', ...staged.map((library) => `./staging/${library}`));
rmSync(staging, { recursive: true, force: true });

/** Copies what is published. Bundlers and Nx set the condition `development` in other people's workspaces too, where there are no sources. */
function stage(library) {
  const from = join(root, 'libs', library);
  const to = join(staging, library);
  mkdirSync(to, { recursive: true });
  cpSync(from, to, { recursive: true, filter: (path) => !/\/(?:node_modules|test)$/.test(path) });
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
  // What its generator gives to new workspaces.
  if (library === 'nx-plugin')
    cpSync(join(root, 'toolkit/toolchain'), join(to, 'toolkit/toolchain'), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  for (const entry of Object.values(manifest.exports)) if (typeof entry === 'object') delete entry.development;
  delete manifest.nx;
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

function run(cwd, program, ...args) {
  const { status } = spawnSync(program, args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
