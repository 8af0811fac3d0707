/** Looks through a root for what must not be in it: paths of the machine that made it, and libraries that it doesn't have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readElf } from '@kiln/build-identity';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import type { ManifestEntry } from './layer-manifest.ts';

/** Text that only the seed's own files and what was linked with them have. */
const FOREIGN_TEXTS: readonly { readonly text: string; readonly what: string }[] = [
  { text: '/x86_64-linux-gnu/', what: "a path of Debian's libraries" },
  { text: '(Debian ', what: "the mark of Debian's compiler" },
];

const DYNAMIC_LINKERS = new Set(['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1']);

/** Where the dynamic linker looks by itself. */
const LIBRARY_DIRECTORY = /^usr\/lib\/[^/]+$/;

const SHOWN = 20;

/**
 * What of a root is of the machine: text in files; the dynamic linker, libraries and search paths that programs ask for.
 * `root` is its directory, `entries` are the paths to look at.
 */
export function foreignTraces(root: string, entries: readonly Pick<ManifestEntry, 'path' | 'type'>[]): Diagnostic[] {
  const libraries = new Set(
    entries.filter(({ path }) => LIBRARY_DIRECTORY.test(path)).map(({ path }) => path.slice(path.lastIndexOf('/') + 1)),
  );
  return entries
    .filter(({ type }) => type === 'file')
    .flatMap(({ path }) => {
      const content = readFileSync(join(root, path));
      const found = FOREIGN_TEXTS.filter(({ text }) => content.includes(text)).map(({ what }) => `has ${what}`);
      return [...found, ...strangeLinks(content, libraries)].map((message): Diagnostic => ({
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

function strangeLinks(content: Buffer, libraries: ReadonlySet<string>): string[] {
  const elf = readElf(content);
  if (elf === undefined) return [];
  const { interpreter, needed, runPaths } = elf;
  return [
    ...(interpreter === undefined || DYNAMIC_LINKERS.has(interpreter) ? [] : [`is started by ${interpreter}`]),
    ...needed.filter((name) => !libraries.has(name)).map((name) => `needs ${name}, which the root doesn't have`),
    ...runPaths.filter((path) => !path.startsWith('$ORIGIN')).map((path) => `looks for libraries in ${path}`),
  ];
}
