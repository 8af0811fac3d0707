/** The Nx plugin's entry: Nx wants CommonJS; the work is in `src/infer.ts`. */
const { execFile } = require('node:child_process');
const { join } = require('node:path');
const { isCodeCurrent } = require('./code-stamp.cjs');
const { load } = require('./load.cjs');

// Specs are matched so that Nx notices when one appears or vanishes; the tree itself is read from `distro.json`.
const pattern = '{toolkit/distro.json,**/*.spec}';

const createNodes = [
  pattern,
  async (files, options, { workspaceRoot }) =>
    isCodeCurrent()
      ? (await load('infer')).inferProjects(files, workspaceRoot, options)
      : inferInChild({ files, workspaceRoot, options }),
];

const MOST_BYTES = 1 << 30;

/** With the code as it is now; this process has that of before. */
function inferInChild(input) {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [join(__dirname, 'infer-child.cjs')],
      { maxBuffer: MOST_BYTES },
      (error, stdout, stderr) =>
        error ? reject(new Error(stderr.trim() || error.message)) : resolve(JSON.parse(stdout)),
    );
    child.stdin.end(JSON.stringify(input));
  });
}

const preTasksExecution = async (_options, context) => (await load('run-hooks')).beforeTasks(context, process.env);
const postTasksExecution = async (options, context) =>
  (await load('run-hooks')).afterTasks(context, process.env, options);

module.exports = { name: '@kiln/nx', createNodes, createNodesV2: createNodes, preTasksExecution, postTasksExecution };
