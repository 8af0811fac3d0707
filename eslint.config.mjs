import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { importRules, purityRules } from './tools/lint/rules.mjs';

const STRUCTURE = [
  { selector: 'ExportAllDeclaration', message: 'Name exports by hand: no `export *`.' },
  { selector: 'ExportDefaultDeclaration', message: 'Use a named export.' },
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
  { selector: 'TSParameterProperty', message: 'Declare the field and assign it.' },
  { selector: 'TSModuleDeclaration[kind="namespace"]', message: 'Use modules.' },
];

export default defineConfig(
  {
    ignores: ['**/node_modules/', '**/dist/', '.nx/', '**/fixtures/', 'SPECS/', 'SPECS-EXTENDED/', 'toolkit/', 'tmp/'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...STRUCTURE],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A regular expression of control characters is how a text format is read.
      'no-control-regex': 'off',
    },
  },
  {
    files: ['libs/*/src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  ...importRules(),
  purityRules,
  {
    // Nx takes an executor from a module's default export; vitest and eslint take their configuration so.
    files: ['libs/nx-plugin/src/executors/*/executor.ts', '*.config.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...STRUCTURE.filter((rule) => !rule.selector.startsWith('ExportDefault'))],
    },
  },
  {
    files: ['tools/**/*.ts', '**/test/**/*.ts'],
    rules: {
      'no-console': 'off',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: ['test', 'it', 'describe'] }],
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    rules: { 'no-unused-vars': 'error', 'no-undef': 'off' },
  },
);
