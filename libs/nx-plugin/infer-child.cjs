/** Infers the projects in a process of its own, with the code as it is now. Arguments on standard input, result on standard output, as JSON. */
const { text } = require('node:stream/consumers');
const { load } = require('./load.cjs');

async function main() {
  const { files, workspaceRoot, options } = JSON.parse(await text(process.stdin));
  const { inferProjects } = await load('infer');
  process.stdout.write(JSON.stringify(await inferProjects(files, workspaceRoot, options)));
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
