/** Executors and the hasher as Nx loads them: CommonJS functions that load the work on first use. */
const { load } = require('./load.cjs');

const executor = (name) => async (options, context) =>
  (await load(`executors/${name}/executor`)).default(options, context);

module.exports = {
  toolchain: executor('toolchain'),
  sources: executor('sources'),
  buildRequires: executor('buildrequires'),
  rpmBootstrap: executor('rpm-bootstrap'),
  rpm: executor('rpm'),
  repository: executor('repository'),
  image: executor('image'),
  bootTest: executor('boot-test'),
  hasher: async (task, context) => (await load('hasher')).hashTask(task, context),
};
