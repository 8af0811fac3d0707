import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BuildError } from '@kiln/diagnostics';
import { DISTRO_FILE } from '../src/distro-config.ts';
import { readDistroConfig } from '../src/read-distro-config.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-distro-config-'));
  mkdirSync(join(root, 'toolkit'));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The repository's own configuration with other places for sources. */
function read(places: readonly object[]): object | undefined {
  const own = JSON.parse(readFileSync(join(REPOSITORY, DISTRO_FILE), 'utf8')) as { sources: object };
  writeFileSync(join(root, DISTRO_FILE), JSON.stringify({ ...own, sources: { ...own.sources, places } }));
  return readDistroConfig(root).sources.places;
}

test('a place of sources may be a mirror with a token', () => {
  const places = [{ from: 'https://mirror.example/{sha256}', tokenVariable: 'TOKEN' }, { from: 'spec-url' }];
  expect(read(places)).toEqual(places);
});

test('a token for what is no mirror is refused: it would be sent nowhere', () => {
  for (const from of ['spec-url', 'debian-archive']) {
    expect(() => read([{ from, tokenVariable: 'TOKEN' }])).toThrow(`the place '${from}' takes no 'tokenVariable'`);
  }
});

test('a severity for what is no rule is refused: it would change nothing', () => {
  const own = JSON.parse(readFileSync(join(REPOSITORY, DISTRO_FILE), 'utf8')) as object;
  const write = (severities: object) =>
    writeFileSync(join(root, DISTRO_FILE), JSON.stringify({ ...own, checks: { severities } }));
  write({ '*': 'warning', ELF_NOT_PIE: 'off' });
  expect(readDistroConfig(root).checks?.severities).toEqual({ '*': 'warning', ELF_NOT_PIE: 'off' });
  write({ ELF_NOT_PIC: 'off' });
  expect(() => readDistroConfig(root)).toThrow("has the unknown member 'ELF_NOT_PIC'; did you mean 'ELF_NOT_PIE'?");
});

test('a provider of the toolchain has the members that it needs, and no others', () => {
  const own = JSON.parse(readFileSync(join(REPOSITORY, DISTRO_FILE), 'utf8')) as object;
  const write = (toolchain: object) => {
    writeFileSync(join(root, DISTRO_FILE), JSON.stringify({ ...own, toolchain }));
    return readDistroConfig(root).toolchain;
  };
  const manifest = 'toolkit/manifests/toolchain.json';
  const debian = { packages: 'toolkit/list.json', lock: 'toolkit/list.lock.json' };
  expect(write({ provider: 'repository', manifest })).toEqual({ provider: 'repository', manifest });
  const manifestKey = { key: 'A'.repeat(40), publicKey: 'toolkit/keys/own.asc' };
  expect(write({ provider: 'repository', manifest, manifestKey })).toMatchObject({ manifestKey });
  expect(() => write({ provider: 'debian', ...debian, manifestKey })).toThrow("takes no 'manifestKey'");
  const short = { ...manifestKey, key: 'A' };
  expect(() => write({ provider: 'repository', manifest, manifestKey: short })).toThrow('/toolchain/manifestKey/key');
  expect(() => write({ provider: 'repository' })).toThrow("the provider 'repository' needs 'manifest'");
  expect(() => write({ provider: 'repository', manifest, ...debian })).toThrow("takes no 'packages'");
  expect(() => write({ provider: 'debian', packages: 'toolkit/list.json' })).toThrow("'debian' needs 'lock'");
  expect(() => write({ provider: 'debian-full', ...debian })).toThrow("'debian-full' needs 'requirements'");
  expect(() => write({ provider: 'repository', manifest: '../elsewhere.json' })).toThrow('leaves the workspace');
});

test('a mistake is told with its line, and with the member that was meant', () => {
  const written = readFileSync(join(REPOSITORY, DISTRO_FILE), 'utf8');
  const failure = (change: (text: string) => string) => {
    writeFileSync(join(root, DISTRO_FILE), change(written));
    let thrown: unknown;
    try {
      readDistroConfig(root);
    } catch (error) {
      thrown = error;
    }
    const { code, message, location } = thrown as BuildError;
    return { code, message, line: location?.line };
  };
  const lineOf = (text: string) => written.split('\n').findIndex((line) => line.includes(text)) + 1;
  expect(failure((text) => text.replace('"provider"', '"provder"'))).toEqual({
    code: 'DISTRO_CONFIG_INVALID',
    message: "/toolchain has the unknown member 'provder'; did you mean 'provider'?",
    line: lineOf('"provider"'),
  });
  const outside = failure((text) => text.replace(/"debianLock": "[^"]*"/, '"debianLock": "../lock.json"'));
  expect(outside).toMatchObject({
    message: "the path '../lock.json' leaves the workspace",
    line: lineOf('"debianLock"'),
  });
  expect(failure((text) => text.replace(',', ';'))).toMatchObject({ code: 'JSON_MALFORMED', line: lineOf(',') });
});
