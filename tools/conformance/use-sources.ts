/** Imported first by tools that are run directly: packages of the workspace then resolve to their sources, not to a build. */
import { register } from 'node:module';

const hook = `export const resolve = (specifier, context, next) =>
  next(specifier, { ...context, conditions: [...context.conditions, 'development'] });`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
