/** The Nx plugin's entry: Nx wants CommonJS; the work is in `src/infer.ts`. */
const { load } = require('./load.cjs');

// Specs are matched so that Nx notices when one appears or vanishes; the tree itself is read from `distro.json`.
const pattern = '{toolkit/distro.json,**/*.spec}';

const createNodes = [
  pattern,
  async (files, options, context) => (await load('infer')).inferProjects(files, context.workspaceRoot, options),
];

const preTasksExecution = async (_options, context) => (await load('run-hooks')).beforeTasks(context, process.env);
const postTasksExecution = async (options, context) =>
  (await load('run-hooks')).afterTasks(context, process.env, options);

module.exports = { name: '@kiln/nx', createNodes, createNodesV2: createNodes, preTasksExecution, postTasksExecution };
