#!/usr/bin/env node
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const source = join(__dirname, '../src/main.ts');
const main = existsSync(source) ? require('../../source-loader.cjs').importSource(source) : import('../dist/main.js');

main
  .then(({ main }) => main(process.argv.slice(2)))
  .then((status) => {
    process.exitCode = status;
  });
