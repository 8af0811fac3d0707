/** Makes eslint blocks out of the import table and the rules of purity. */
import { builtinModules } from 'node:module';
import { layers, packageName, pureLibraries, subpathEntries } from './layers.mjs';

const PURE_BUILTINS = new Set(['crypto']);
const PROCESS_OWNERS = ['host'];
const NX_OWNERS = ['nx-plugin'];

/** One eslint block a library: what its sources may import. Tests may import every library. */
export function importRules() {
  return Object.keys(layers).map((library) => ({
    files: [`libs/${library}/src/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', importRestrictions(library)] },
  }));
}

/** The block for the pure libraries: no clock, no environment, no network. */
export const purityRules = {
  files: pureLibraries.map((library) => `libs/${library}/src/**/*.ts`),
  ignores: ['libs/rpm-macro/src/lua/**', 'libs/rpm-macro/src/lua*.ts'],
  rules: {
    'no-restricted-globals': [
      'error',
      ...['process', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'WebSocket'].map((name) => ({
        name,
        message: 'This library is pure: take the value as a parameter.',
      })),
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'This library is pure: take the time as a parameter.' },
      { object: 'Math', property: 'random', message: 'This library is pure.' },
    ],
  },
};

function importRestrictions(library) {
  const allowed = new Set(layers[library].map(packageName));
  const known = Object.keys(layers).map(packageName);
  const upward = known.filter((name) => !allowed.has(name));
  const patterns = [
    {
      group: upward.flatMap((name) => [name, `${name}/*`]),
      message: `The import table (tools/lint/layers.mjs) does not let '${library}' import this.`,
    },
    {
      regex: `^@kiln/(?!(?:${known.map((name) => name.slice('@kiln/'.length)).join('|')})(?:/|$))`,
      message: 'There is no such library in the import table (tools/lint/layers.mjs).',
    },
    {
      regex: `^@kiln/[^/]+/(?!${subpathEntries.map((entry) => `(?<=${entry.slice(0, entry.lastIndexOf('/') + 1)})${entry.slice(entry.lastIndexOf('/') + 1)}$`).join('|')})`,
      message: 'Import a library through its index.',
    },
    { regex: '^(?:\\.\\./)+(?:.*/)?(?:src|test)/', message: 'Import another library by its package name.' },
    { regex: '^\\.{1,2}/(?!.*\\.(?:ts|json)$)', message: 'Relative imports name the file with its `.ts`.' },
  ];
  if (pureLibraries.includes(library)) {
    patterns.push({ regex: forbiddenBuiltins(), message: 'This library is pure: no files, processes or network.' });
  } else if (!PROCESS_OWNERS.includes(library)) {
    patterns.push({ regex: '^(?:node:)?child_process$', message: 'Processes are started through `Host.run`.' });
  }
  if (!NX_OWNERS.includes(library)) {
    patterns.push({ regex: '^(?:nx|@nx/[^/]+)(?:/|$)', message: 'Only @kiln/nx knows Nx.' });
  }
  return { patterns };
}

function forbiddenBuiltins() {
  const names = builtinModules.filter((name) => !name.startsWith('_') && !PURE_BUILTINS.has(name));
  return `^(?:(?:node:)?(?:${names.join('|')})|node:(?!(?:${[...PURE_BUILTINS].join('|')})$).*)$`;
}
