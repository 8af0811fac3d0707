/** `toolkit/manifests/*.json`: which prebuilt RPMs a toolchain is made of. People write what is asked for, a command writes the answer. */
import { sha256, type Sha256 } from '@kiln/build-identity';
import type { SourceLocation } from '@kiln/diagnostics';
import { parseLocatedJson, type LocatedJson } from '@kiln/image-config';
import { LocatedReader } from './located-reader.ts';

/** Where RPMs come from. */
export interface ManifestRepository {
  readonly name: string;
  /** An `http`, `https` or `file` address, or a directory below the workspace. Without `repodata/` a directory's RPMs are read themselves. */
  readonly url: string;
  /** The smallest one that has a package wins, whatever the versions are; `DEFAULT_PRIORITY` when omitted. */
  readonly priority?: number;
  /** Fingerprint of the key that its RPMs are signed with. */
  readonly rpmKey?: string;
  /** Fingerprint of the key that `repomd.xml` is signed with. */
  readonly metadataKey?: string;
  /** Where the manifest has it. */
  readonly location?: SourceLocation;
}

/** What people write. Paths are relative to the workspace. */
export interface ManifestRequest {
  readonly architecture: string;
  /** What was published later doesn't exist: a time in UTC as `2026-11-20T00:00:00Z`. */
  readonly snapshot?: string;
  /** File of the armored public key, by fingerprint. */
  readonly keys: Readonly<Record<string, string>>;
  readonly repositories: readonly ManifestRepository[];
  /** Capabilities that the toolchain must have, as in Requires of a spec. */
  readonly roots: readonly string[];
  /** Lists of RPM file names, which are members in exactly that version, and of names; one a line. */
  readonly lists: readonly string[];
}

/** An RPM. */
export interface ManifestPackage {
  /** `name-[epoch:]version-release.arch` */
  readonly nevra: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly sha256: Sha256;
  /** Name of the repository. */
  readonly repository: string;
  /** Below the repository's address. */
  readonly path: string;
  /** Fingerprint of the key that it is signed with. */
  readonly key?: string;
  /** File name of its source RPM. */
  readonly source?: string;
  /** Where the manifest has it. */
  readonly location?: SourceLocation;
}

/** A source package of the workspace whose RPMs the toolchain has, all of them. */
export interface ManifestSpec {
  /** File name of its source RPM. */
  readonly source: string;
  /** Digest of what it was built from, as the workspace had it when the manifest was made. */
  readonly inputs: Sha256;
}

/** The whole file. */
export interface ToolchainManifest extends ManifestRequest {
  /** In the order of their NEVRAs. */
  readonly packages: readonly ManifestPackage[];
  /** Capabilities and programs of each member, by NEVRA: what a plan must know without any download. */
  readonly provides: Readonly<Record<string, readonly string[]>>;
  /** By package id. Their target `rpm` gives the toolchain's RPMs. */
  readonly specs: Readonly<Record<string, ManifestSpec>>;
  /** RPMs of these source packages that aren't in the layer, in the order of their NEVRAs. */
  readonly others: readonly ManifestPackage[];
}

export const DEFAULT_PRIORITY = 99;

const NAME = { pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/, what: 'a plain name' };
const URL_OR_DIRECTORY = {
  pattern: { test: isAddressOrDirectory },
  what: "an address (without '?' and '#') or a directory",
};
const FINGERPRINT = { pattern: /^([0-9A-F]{40}|[0-9A-F]{64})$/, what: 'a fingerprint in upper-case hexadecimal' };
const TIME = { pattern: { test: isTime }, what: 'a time like 2026-11-20T00:00:00Z' };
const NEVRA = { pattern: /^[^\s/]+-(\d+:)?[^\s/-]+-[^\s/-]+\.\w+$/, what: 'name-[epoch:]version-release.arch' };
const DIGEST = { pattern: /^[0-9a-f]{64}$/, what: 'a SHA-256 in lower-case hexadecimal' };
const SOURCE_RPM = { pattern: /^[^\s/]+\.(no)?src\.rpm$/, what: 'the file name of a source RPM' };
const ARCHITECTURE = { pattern: /^\w+$/, what: 'an architecture' };

/**
 * Reads a manifest; one without `packages` has none yet. `file` is how it is called in messages.
 * @throws BuildError `TOOLCHAIN_MANIFEST_INVALID` at the place of the first problem.
 */
export function parseToolchainManifest(text: string, file: string): ToolchainManifest {
  const reader = new LocatedReader('TOOLCHAIN_MANIFEST_INVALID', file);
  const top = reader.members(
    reader.guard(() => parseLocatedJson(text, file)),
    {
      required: ['architecture', 'repositories'],
      optional: ['$schema', 'snapshot', 'keys', 'roots', 'lists', 'packages', 'provides', 'specs', 'others'],
    },
  );
  const keys = reader.map(top.get('keys'), (value, { key, location }) => {
    reader.match(key, FINGERPRINT, location);
    return reader.relativePath(value);
  });
  const repositories = reader.list(top.get('repositories'), (one) => readRepositoryEntry(reader, one, keys));
  reader.unique(top.get('repositories'), 'name');
  const names = repositories.map(({ name }) => name);
  const packages = reader.list(top.get('packages'), (one) => readPackageEntry(reader, one, { keys, names }));
  reader.unique(top.get('packages'), 'nevra');
  const others = reader.list(top.get('others'), (one) => readPackageEntry(reader, one, { keys, names }));
  const members = packages.map(({ nevra }) => nevra);
  return {
    architecture: reader.text(top.get('architecture')!, ARCHITECTURE),
    ...reader.optional(top, 'snapshot', (value) => reader.text(value, TIME)),
    keys,
    repositories,
    roots: reader.list(top.get('roots'), (one) => reader.text(one)),
    lists: reader.list(top.get('lists'), (one) => reader.relativePath(one)),
    packages,
    provides: reader.map(top.get('provides'), (value, { key, location }) => {
      reader.known(key, members, { what: "a package of 'packages'", location });
      return reader.list(value, (one) => reader.text(one));
    }),
    specs: reader.map(top.get('specs'), (value) => readSpecEntry(reader, value)),
    others,
  };
}

/** Whether files can be asked for below it. */
function isAddressOrDirectory(text: string): boolean {
  if (!text.includes(':')) return /^[^/\s]\S*$/.test(text);
  if (!/^(https?|file):\/\/[^\s?#]+$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, host, pathname } = new URL(text);
  return protocol !== 'file:' || (host === '' && !/%2f/i.test(pathname));
}

/** A day and an hour that there are. */
function isTime(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text.replace('Z', '.000Z');
}

type Keys = ManifestRequest['keys'];

function readRepositoryEntry(reader: LocatedReader, value: LocatedJson, keys: Keys): ManifestRepository {
  const members = reader.members(value, {
    required: ['name', 'url'],
    optional: ['priority', 'rpmKey', 'metadataKey'],
  });
  const url = reader.text(members.get('url')!, URL_OR_DIRECTORY);
  return {
    name: reader.text(members.get('name')!, NAME),
    url: url.includes('://') ? url : reader.relativePath(members.get('url')!),
    ...reader.optional(members, 'priority', (one) => reader.natural(one)),
    ...reader.optional(members, 'rpmKey', (one) => knownKey(reader, one, keys)),
    ...reader.optional(members, 'metadataKey', (one) => knownKey(reader, one, keys)),
    location: lineOf(value),
  };
}

interface KnownNames {
  readonly keys: Keys;
  /** Of repositories. */
  readonly names: readonly string[];
}

function readPackageEntry(reader: LocatedReader, value: LocatedJson, { keys, names }: KnownNames): ManifestPackage {
  const members = reader.members(value, {
    required: ['nevra', 'size', 'sha256', 'repository', 'path'],
    optional: ['key', 'source'],
  });
  return {
    nevra: reader.text(members.get('nevra')!, NEVRA),
    size: reader.natural(members.get('size')!),
    sha256: reader.text(members.get('sha256')!, DIGEST) as Sha256,
    repository: reader.oneOf(members.get('repository')!, names, "a repository of 'repositories'"),
    path: reader.relativePath(members.get('path')!),
    ...reader.optional(members, 'key', (one) => knownKey(reader, one, keys)),
    ...reader.optional(members, 'source', (one) => reader.text(one, SOURCE_RPM)),
    location: lineOf(value),
  };
}

function lineOf({ location: { file, line } }: LocatedJson): SourceLocation {
  return { file, line };
}

function readSpecEntry(reader: LocatedReader, value: LocatedJson): ManifestSpec {
  const members = reader.members(value, { required: ['source', 'inputs'], optional: [] });
  return {
    source: reader.text(members.get('source')!, SOURCE_RPM),
    inputs: reader.text(members.get('inputs')!, DIGEST) as Sha256,
  };
}

function knownKey(reader: LocatedReader, value: LocatedJson, keys: Keys): string {
  return reader.oneOf(value, Object.keys(keys), "a key of 'keys'");
}

/** The text of a manifest: one package a line, so that changes read well. */
export function formatToolchainManifest(manifest: ToolchainManifest): string {
  const { architecture, snapshot, keys, repositories, roots, lists, packages, provides, specs, others } = manifest;
  const block = (open: string, lines: readonly string[], close: string) =>
    lines.length === 0 ? `${open}${close}` : `${open}\n${lines.map((line) => `    ${line}`).join(',\n')}\n  ${close}`;
  const list = (values: readonly unknown[]) =>
    block(
      '[',
      values.map((one) => JSON.stringify(one)),
      ']',
    );
  const map = (values: Readonly<Record<string, unknown>>) =>
    block(
      '{',
      Object.entries(values).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`),
      '}',
    );
  const rpms = (values: readonly ManifestPackage[]) => list(values.map(({ location: _, ...one }) => one));
  const members: readonly (readonly [string, string | undefined])[] = [
    ['architecture', JSON.stringify(architecture)],
    ['snapshot', snapshot === undefined ? undefined : JSON.stringify(snapshot)],
    ['keys', Object.keys(keys).length === 0 ? undefined : map(keys)],
    ['repositories', list(repositories.map(({ location: _, ...one }) => one))],
    ['roots', roots.length === 0 ? undefined : list(roots)],
    ['lists', lists.length === 0 ? undefined : list(lists)],
    ['packages', rpms(packages)],
    ['provides', map(provides)],
    ['specs', Object.keys(specs).length === 0 ? undefined : map(specs)],
    ['others', others.length === 0 ? undefined : rpms(others)],
  ];
  const lines = members.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${JSON.stringify(name)}: ${value}`],
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** Digest of what is taken, wherever it comes from: other mirrors, keys or priorities make no other toolchain. */
export function manifestDigest({ architecture, packages }: ToolchainManifest): Sha256 {
  const lines = packages.map((one) => `${one.nevra} ${one.sha256}\n`).sort();
  return sha256(`${architecture}\n${lines.join('')}`);
}
