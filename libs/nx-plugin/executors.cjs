/** The executor and the hasher as Nx loads them: CommonJS functions that load the work on first use. */
const { load } = require('./load.cjs');

const executor = () => load('executors/task/executor');

module.exports = {
  task: async (...given) => (await executor()).default(...given),
  taskBatch: async function* (...given) {
    yield* (await executor()).batch(...given);
  },
  hasher: async (task, context) => (await load('hasher')).hashTask(task, context),
};
