/** Loads a module of this package: its TypeScript source inside the repository, the compiled file in an installed package. */
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

const inRepository = existsSync(join(__dirname, 'src', 'index.ts'));

/** `name` is the module's path below `src` without extension. */
exports.load = (name) =>
  inRepository
    ? require('../source-loader.cjs').importSource(join(__dirname, 'src', `${name}.ts`))
    : import(pathToFileURL(join(__dirname, 'dist', `${name}.js`)).href);
