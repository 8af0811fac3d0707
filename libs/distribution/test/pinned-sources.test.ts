import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import { evaluateSpec } from '@kiln/rpm-spec';
import type { EvaluatedPackage } from '../src/package-project.ts';
import { pinnedSources } from '../src/pinned-sources.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-sources-'));
  mkdirSync(join(root, 'SPECS/one'), { recursive: true });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function project(...tags: string[]): EvaluatedPackage {
  const specFile = 'SPECS/one/one.spec';
  const specText = [
    'Name: one',
    'Version: 1',
    'Release: 1',
    'Summary: S',
    'License: MIT',
    ...tags,
    '%description',
    'D.',
    '',
  ].join('\n');
  const { sourcePackage } = evaluateSpec({ file: specFile, text: specText });
  return {
    id: 'one/one',
    specRoot: 'SPECS',
    directory: 'SPECS/one',
    specFile,
    spec: { text: specText, digest: sha256(specText) },
    sourcePackage: sourcePackage!,
    diagnostics: [],
    inputs: [],
  };
}

const sign = (entries: Record<string, string>) =>
  writeFileSync(join(root, 'SPECS/one/one.signatures.json'), JSON.stringify({ Signatures: entries }));
const beside = (name: string, text: string) => writeFileSync(join(root, 'SPECS/one', name), text);

test('remote sources by their signature, local ones by their content, patches need no signature', () => {
  sign({ 'one-1.tar.gz': sha256('tarball'), 'local.conf': sha256('local') });
  beside('local.conf', 'local');
  beside('fix.patch', 'patch');
  const sources = pinnedSources(
    root,
    project('Source0: https://example.org/one-1.tar.gz', 'Source1: local.conf', 'Patch0: fix.patch'),
  );
  expect(sources.map(({ fileName, sha256: digest, localPath }) => [fileName, digest, localPath])).toEqual([
    ['one-1.tar.gz', sha256('tarball'), undefined],
    ['local.conf', sha256('local'), 'SPECS/one/local.conf'],
    ['fix.patch', sha256('patch'), 'SPECS/one/fix.patch'],
  ]);
});

test('the name after #/ counts', () => {
  sign({ 'named.tar.gz': sha256('x') });
  expect(pinnedSources(root, project('Source0: https://example.org/get?id=1#/named.tar.gz'))[0]!.fileName).toBe(
    'named.tar.gz',
  );
});

test('a source without a signature is refused at its line, here or there', () => {
  const location = { file: 'SPECS/one/one.spec', line: 6 };
  expect(() => pinnedSources(root, project('Source0: https://example.org/one-1.tar.gz'))).toThrowError(
    expect.objectContaining({ code: 'SOURCE_UNSIGNED', location: expect.objectContaining(location) }),
  );
  beside('local.conf', 'local');
  expect(() => pinnedSources(root, project('Source0: local.conf'))).toThrowError(
    expect.objectContaining({
      code: 'SOURCE_UNSIGNED',
      message: expect.stringContaining('lies beside the spec'),
      hint: expect.stringContaining(`"local.conf": "${sha256('local')}"`),
    }),
  );
});

test('a local file that differs from its signature is refused', () => {
  sign({ 'local.conf': sha256('signed') });
  beside('local.conf', 'changed');
  expect(() => pinnedSources(root, project('Source0: local.conf'))).toThrowError(
    expect.objectContaining({ code: 'SOURCE_DIGEST_MISMATCH', message: expect.stringContaining(sha256('changed')) }),
  );
});

test('names can not leave the directory', () => {
  expect(() => pinnedSources(root, project('Source0: https://example.org/x#/..'))).toThrowError(
    expect.objectContaining({ code: 'SOURCE_NAME_INVALID' }),
  );
});
