/** Compiles all libraries to `libs/<library>/dist`: ES modules and declarations. One compiler run for all of them. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const output = join(root, 'dist', 'build');

rmSync(output, { recursive: true, force: true });
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
for (const library of readdirSync(output)) {
  const dist = join(root, 'libs', library, 'dist');
  rmSync(dist, { recursive: true, force: true });
  cpSync(join(output, library, 'src'), dist, { recursive: true });
  renameImports(dist);
}
rmSync(output, { recursive: true, force: true });

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** The compiler rewrites `./x.ts` to `./x.js` in code but not in declarations. */
function renameImports(directory) {
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.d.ts')) continue;
    const file = join(directory, entry);
    if (!existsSync(file)) continue;
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(/((?:from|import)\s*\(?['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2'),
    );
  }
}
