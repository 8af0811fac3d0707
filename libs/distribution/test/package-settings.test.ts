import { expect, test } from 'vitest';
import { checkSettingsNames, definesWith, identityOfSettings, parsePackageSettings } from '../src/package-settings.ts';

const file = (value: object) => JSON.stringify(value, undefined, 2);

test('settings of all kinds', () => {
  const settings = {
    'sed/sed': {
      defines: { _lto_cflags: '%{nil}' },
      with: ['doc'],
      without: ['check'],
      limits: { seconds: 60, memoryBytes: 1024 },
      resources: { memoryGB: 8, cores: 2.5 },
      network: { reason: 'asks a time server' },
      check: { flaky: 'one test measures time' },
    },
  };
  expect([...parsePackageSettings(file(settings))]).toEqual(Object.entries(settings));
  expect(parsePackageSettings('{}').size).toBe(0);
});

test('what is set aside for a build is no part of it', () => {
  expect(identityOfSettings({ resources: { memoryGB: 8, cores: 2 } })).toEqual(identityOfSettings());
  expect(() => parsePackageSettings(file({ 'sed/sed': { resources: { memoryGb: 8 } } }))).toThrow(
    `has the unknown member 'memoryGb'; did you mean 'memoryGB'?`,
  );
  expect(() => parsePackageSettings(file({ 'sed/sed': { resources: { cores: 0 } } }))).toThrow('must be > 0');
});

test.each([
  [
    'an unknown member',
    { 'sed/sed': { limit: {} } },
    `'sed/sed' has the unknown member 'limit'; did you mean 'limits'?`,
    3,
  ],
  [
    'an unknown limit',
    { 'sed/sed': { limits: { memorybytes: 1 } } },
    `'sed/sed' → 'limits' has the unknown member 'memorybytes'; did you mean 'memoryBytes'?`,
    4,
  ],
  ['a network without a reason', { a: { network: {} } }, `'a' → 'network' must have required property 'reason'`, 2],
  ['a network that is merely switched on', { a: { network: true } }, `'a' → 'network' must be object`, 2],
  ['a limit of nothing', { a: { limits: { seconds: 0 } } }, `'a' → 'limits' → 'seconds' must be >= 1`, 2],
  [
    'a waiver of no rule',
    { a: { waivers: [{ code: 'ELF_NOT_PIC', reason: 'because of that' }] } },
    `'a' → 'waivers' → '0' → 'code' must be one of BUILD_PATH_INSIDE, `,
    2,
  ],
  ['both at once', { a: { with: ['x'], without: ['x'] } }, `'a' is built with and without 'x'`, 2],
  [
    'a check with two fates',
    { a: { check: { skip: 'because of that', flaky: 'because of this' } } },
    'must NOT have more',
    2,
  ],
])('%s is an error', (_name, value, message, line) => {
  const parse = () => parsePackageSettings(file(value));
  expect(parse).toThrow(message);
  expect(parse).toThrow(expect.objectContaining({ code: 'PACKAGE_SETTINGS_INVALID' }));
  expect(parse).toThrow(expect.objectContaining({ location: { file: 'toolkit/packages.json', line } }));
});

test('what is no JSON is an error', () => {
  expect(() => parsePackageSettings('{')).toThrow(expect.objectContaining({ code: 'PACKAGE_SETTINGS_INVALID' }));
});

test('a package that the tree does not have', () => {
  const settings = parsePackageSettings(file({ 'sed/sde': {} }));
  expect(() => checkSettingsNames(settings, new Set(['sed/sed', 'bash/bash']))).toThrow(
    "the tree has no package 'sed/sde'; did you mean 'sed/sed'?",
  );
  expect(() => checkSettingsNames(settings, new Set(['sed/sde']))).not.toThrow();
});

test('defines and conditionals as rpmbuild has them', () => {
  expect(definesWith({ dist: '.kl1', a: '1' }, { defines: { a: '2' }, with: ['doc'], without: ['check'] })).toEqual({
    dist: '.kl1',
    a: '2',
    _with_doc: '--with-doc',
    _without_check: '--without-check',
  });
});
