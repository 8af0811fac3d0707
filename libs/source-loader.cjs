/**
 * Runs the libraries of this repository from their TypeScript sources, without a build: types are stripped while
 * loading and `@kiln/*` resolves by the condition `development`. Published packages run their compiled files instead.
 */
const { register } = require('node:module');
const { pathToFileURL } = require('node:url');

const conditions = `export const resolve = (specifier, context, next) =>
  next(specifier, { ...context, conditions: ['development', ...context.conditions] });`;

let ready;

/** Imports a TypeScript module by its path. */
exports.importSource = async (path) => {
  ready ??= registerHooks();
  await ready;
  return import(pathToFileURL(path).href);
};

async function registerHooks() {
  if (!process.features.typescript) (await import('tsx/esm/api')).register();
  register(`data:text/javascript,${encodeURIComponent(conditions)}`);
}
