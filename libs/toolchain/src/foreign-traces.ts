/** Looks through a root for what must not be in it: paths of the machine that made it, and libraries that it doesn't have. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readElf } from '@kiln/build-identity';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import type { ManifestEntry } from './layer-manifest.ts';

/** Text that only the seed's own files and what was linked with them have. */
const FOREIGN_TEXTS: readonly { readonly text: string; readonly next?: RegExp; readonly what: string }[] = [
  { text: '/x86_64-linux-gnu/', what: "a path of Debian's libraries" },
  // Prose names Debian too; the compiler's version follows at once.
  { text: '(Debian ', next: /^\d/, what: "the mark of Debian's compiler" },
  { text: '(GNU Binutils for Debian)', what: "the mark of Debian's binutils" },
];

const DYNAMIC_LINKERS = new Set(['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1']);

/** Where the dynamic linker looks by itself. */
const LIBRARY_DIRECTORY = 'usr/lib';

/** Where a program looks beside itself. */
const OWN_DIRECTORY = /^\$(ORIGIN|\{ORIGIN\})(?=\/|$)/;

const SHOWN = 20;

/**
 * What of a root is of the machine: text in files; the dynamic linker, libraries and search paths that programs ask for.
 * `root` is its directory, `entries` are the paths to look at.
 */
export function foreignTraces(root: string, entries: readonly Pick<ManifestEntry, 'path' | 'type'>[]): Diagnostic[] {
  const paths = new Set(entries.map(({ path }) => path));
  return entries
    .filter(({ type }) => type === 'file')
    .flatMap(({ path }) => {
      const content = readFileSync(join(root, path));
      const found = FOREIGN_TEXTS.filter((one) => hasText(content, one)).map(({ what }) => `has ${what}`);
      return [...found, ...strangeLinks(content, { path, paths })].map((message): Diagnostic => ({
        severity: 'error',
        code: 'FOREIGN_TRACES',
        message: `/${path} ${message}`,
      }));
    });
}

/** @throws BuildError `FOREIGN_TRACES` with each file and what it has. */
export function refuseForeignTraces(root: string, entries: readonly Pick<ManifestEntry, 'path' | 'type'>[]): void {
  const traces = foreignTraces(root, entries);
  if (traces.length === 0) return;
  throw new BuildError('FOREIGN_TRACES', `${traces.length} files have traces of the machine that made them`, {
    diagnostics: traces.slice(0, SHOWN),
    hint: 'find the step that made the first one: it saw a file or an option of the seed',
  });
}

function hasText(content: Buffer, { text, next = /^/ }: (typeof FOREIGN_TEXTS)[number]): boolean {
  for (let at = content.indexOf(text); at >= 0; at = content.indexOf(text, at + 1)) {
    const after = at + text.length;
    if (next.test(content.toString('latin1', after, after + 1))) return true;
  }
  return false;
}

interface LinkedFile {
  readonly path: string;
  /** All of the root. */
  readonly paths: ReadonlySet<string>;
}

function strangeLinks(content: Buffer, { path, paths }: LinkedFile): string[] {
  const elf = readElf(content);
  if (elf === undefined) return [];
  const { interpreter, needed, runPaths } = elf;
  const own = runPaths.filter((one) => OWN_DIRECTORY.test(one));
  const directories = [...own.map((one) => join(one.replace(OWN_DIRECTORY, dirname(path)))), LIBRARY_DIRECTORY];
  const isThere = (name: string) => directories.some((directory) => paths.has(join(directory, name)));
  return [
    ...(interpreter === undefined || DYNAMIC_LINKERS.has(interpreter) ? [] : [`is started by ${interpreter}`]),
    ...needed.filter((name) => !isThere(name)).map((name) => `needs ${name}, which the root doesn't have`),
    ...runPaths.filter((one) => !own.includes(one)).map((one) => `looks for libraries in ${one}`),
  ];
}
