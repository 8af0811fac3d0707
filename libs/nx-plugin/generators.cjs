/** Generators as Nx loads them: CommonJS functions that load the work on first use. */
const { load } = require('./load.cjs');

const messageOf = (error) => (typeof error.format === 'function' ? new Error(error.format(), { cause: error }) : error);

module.exports = {
  init: async (tree, options) => {
    try {
      return (await load('generators/init/generator')).init(tree, options);
    } catch (error) {
      throw messageOf(error);
    }
  },
};
