/** Random changes of a distribution's tree, the same for the same seed. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What was done, for people; undefined when there was nothing of that kind to change. */
export type TreeChange = (root: string, random: () => number) => string | undefined;

const SPEC_ROOTS = ['SPECS', 'SPECS-EXTENDED'];

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The kinds of changes by name. */
export const CHANGES: Readonly<Record<string, TreeChange>> = {
  comment: inSpec((text) => `# a comment\n${text}`),
  'spec text': inSpec((text) => text.replace(/^%install\b.*$/m, '$&\ntrue')),
  Release: inSpec((text) =>
    text.replace(/^(Release:\s*)(\d+)/im, (_, tag: string, value: string) => `${tag}${Number(value) + 1}`),
  ),
  'a dependency of a sub-package': inSpec((text, { pick, names }) =>
    text.replace(/^%description\b/m, `Requires: ${pick(names)}\n%description`),
  ),
  'a BuildRequires': inSpec((text, { pick, names }) =>
    text.replace(/^%description\b/m, `BuildRequires: ${pick(names)}\n%description`),
  ),
  'a provider removed': inSpec((text) => text.replace(/^%files(?:[ \t]+\S+)+[ \t]*$/m, '%dnl removed')),
  'a provider moved': moveProvider,
  'a broken spec': inSpec((text) => `%if 1\n${text}`),
  patch: changeFile((name) => name.endsWith('.patch')),
  'local source': changeFile((name) => !/\.(?:patch|spec|json)$/.test(name)),
  'a file that nobody names': (root, random) => {
    const spec = pickOf(specsOf(root), random);
    if (spec === undefined) return undefined;
    const file = join(dirname(spec), 'NOTES.unused');
    writeFileSync(join(root, file), `${random()}\n`);
    return file;
  },
  signatures: changeFile(
    (name) => name.endsWith('.signatures.json'),
    (text) => `${text}\n`,
  ),
  'macro file': (root) => edit(root, distroOf(root).macros.main, (text) => `${text}\n# changed\n`),
  'distro.json: a define': (root, random) =>
    editDistro(root, (distro) => ({ ...distro, defines: { ...distro.defines, changed: String(random()) } })),
  'distro.json: the version': (root, random) =>
    editDistro(root, (distro) => ({ ...distro, version: String(random()) })),
  'toolchain lock': (root) => {
    const { lock } = distroOf(root).toolchain;
    return edit(root, lock, (text) => text.replace(/[0-9a-f]{64}/, (digest) => digest.split('').reverse().join('')));
  },
  record: (root, random) => {
    const { provides } = distroOf(root);
    const records = filesBelow(root, provides).filter((path) => path.endsWith('.json'));
    const file = pickOf(records, random);
    if (file === undefined) return undefined;
    if (random() < 0.3) {
      rmSync(join(root, file));
      return `${file} removed`;
    }
    return edit(root, file, (text) => dropLine(text, random));
  },
};

interface SpecContext {
  readonly pick: (list: readonly string[]) => string;
  /** Names of source packages of the tree. */
  readonly names: readonly string[];
}

function inSpec(change: (text: string, context: SpecContext) => string): TreeChange {
  return (root, random) => {
    const specs = specsOf(root);
    const spec = pickOf(specs, random);
    if (spec === undefined) return undefined;
    const names = specs.map((path) => /([^/]+)\.spec$/.exec(path)![1]!);
    return edit(root, spec, (text) => change(text, { names, pick: (list) => pickOf(list, random)! }));
  };
}

/** A name that one spec provides is provided by another one instead. */
function moveProvider(root: string, random: () => number): string | undefined {
  const specs = specsOf(root);
  const [from, to] = [pickOf(specs, random), pickOf(specs, random)];
  if (from === undefined || to === undefined || from === to) return undefined;
  const name = `moved-${Math.floor(random() * 1e6)}`;
  const user = pickOf(specs, random)!;
  const done = [
    edit(root, to, (text) => text.replace(/^%description\b/m, `Provides: ${name}\n%description`)),
    user === to
      ? undefined
      : edit(root, user, (text) => text.replace(/^%description\b/m, `BuildRequires: ${name}\n%description`)),
  ];
  return done.filter((one) => one !== undefined).join(' and ') || undefined;
}

function changeFile(matches: (name: string) => boolean, change = (text: string) => `${text}# changed\n`): TreeChange {
  return (root, random) => {
    const spec = pickOf(specsOf(root), random);
    if (spec === undefined) return undefined;
    const all = filesBelow(root, dirname(spec)).filter((path) => matches(path.slice(path.lastIndexOf('/') + 1)));
    const file = pickOf(
      all.length > 0 ? all : SPEC_ROOTS.flatMap((one) => filesBelow(root, one)).filter((path) => matches(path)),
      random,
    );
    return file === undefined ? undefined : edit(root, file, change);
  };
}

interface Distro {
  readonly macros: { readonly main: string };
  readonly toolchain: { readonly lock: string };
  readonly provides: string;
  readonly defines: Readonly<Record<string, string>>;
  readonly version: string;
}

function distroOf(root: string): Distro {
  return JSON.parse(readFileSync(join(root, 'toolkit/distro.json'), 'utf8')) as Distro;
}

function editDistro(root: string, change: (distro: Distro) => Distro): string | undefined {
  return edit(root, 'toolkit/distro.json', (text) => JSON.stringify(change(JSON.parse(text) as Distro), undefined, 2));
}

/** The file's path when it really changed. */
function edit(root: string, file: string, change: (text: string) => string): string | undefined {
  const before = readFileSync(join(root, file), 'latin1');
  const after = change(before);
  if (after === before) return undefined;
  writeFileSync(join(root, file), after, 'latin1');
  return file;
}

/** One entry less in a list of the record. */
function dropLine(text: string, random: () => number): string {
  const record = JSON.parse(text) as { packages?: Record<string, { provides: string[]; requires: string[] }> };
  const lists = Object.values(record.packages ?? {})
    .flatMap(({ provides, requires }) => [provides, requires])
    .filter((list) => list.length > 0);
  const list = lists[Math.floor(random() * lists.length)];
  if (list === undefined) return text;
  list.splice(Math.floor(random() * list.length), 1);
  return JSON.stringify(record, undefined, 2);
}

function specsOf(root: string): string[] {
  return SPEC_ROOTS.flatMap((one) => filesBelow(root, one)).filter((path) => path.endsWith('.spec'));
}

function filesBelow(root: string, directory: string): string[] {
  if (!existsSync(join(root, directory))) return [];
  return readdirSync(join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

function pickOf<T>(list: readonly T[], random: () => number): T | undefined {
  return list[Math.floor(random() * list.length)];
}
