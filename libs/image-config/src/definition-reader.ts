/** Reads definitions and what they refer to, and remembers which files these were. */
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import { parseDependency, type Dependency } from '@kiln/rpm-package';
import { isBeside, resolvePath, type DefinitionFiles, type LocalFile } from './definition-files.ts';
import { imageConfigSchema, packageListSchema } from './image-config-schema.ts';
import { listItems, parseLocatedJson, valueAt, type LocatedJson, type LocatedObject } from './located-json.ts';
import { mergeConfig } from './merge-config.ts';
import { failOn } from './problem-list.ts';
import { schemaProblems } from './validate-config.ts';

/** A package that the image must have: `name`, or `name op version`. */
export interface RequestedPackage {
  readonly dependency: Dependency;
  readonly location: SourceLocation;
}

/** A path and where it was written. */
export interface Reference {
  readonly path: string;
  readonly location: SourceLocation;
}

/** Follows references between files and remembers what was read. */
export class DefinitionReader {
  readonly #source: DefinitionFiles;
  readonly #files = new Set<string>();

  constructor(source: DefinitionFiles) {
    this.#source = source;
  }

  /** Every file that was needed, sorted. */
  files(): string[] {
    return [...this.#files].sort();
  }

  /** Counts files as needed that were read elsewhere. */
  note(files: readonly string[]): void {
    for (const file of files) this.#files.add(file);
  }

  /** A definition over those that it extends, without its `extends`. `from` is the chain of files that led here. */
  readConfig(file: string, from: readonly string[], reference?: SourceLocation): LocatedJson {
    if (from.includes(file)) {
      throw new BuildError('IMAGE_EXTENDS_CYCLE', `'extends' goes in a circle: ${[...from, file].join(' → ')}`, {
        ...(reference === undefined ? {} : { location: reference }),
        hint: 'remove one of these references',
      });
    }
    const json = parseLocatedJson(this.#text(file, reference), file);
    if (json.kind !== 'object') return json;
    const bases = references(json.members.get('extends')?.value);
    const members = new Map([...json.members].filter(([key]) => key !== 'extends' || bases === undefined));
    const own: LocatedObject = { ...json, members };
    const chain = [...from, file];
    const inherited = (bases ?? []).map(({ path, location }) =>
      this.readConfig(resolvePath(file, path), chain, location),
    );
    return [...inherited, own].reduce((base, next) => mergeConfig(base, next, imageConfigSchema));
  }

  /** The packages of a system: those of its lists, then its own. */
  readPackages(system: LocatedJson): RequestedPackage[] {
    const lists = references(valueAt(system, ['PackageLists'])) ?? [];
    const listed = lists.flatMap(({ path, location }) => {
      const file = resolvePath(location.file, path);
      const list = parseLocatedJson(this.#text(file, location), file);
      failOn('IMAGE_CONFIG_INVALID', file, schemaProblems(list, packageListSchema));
      return requestedPackages(valueAt(list, ['packages']));
    });
    return [...listed, ...requestedPackages(valueAt(system, ['Packages']))];
  }

  /**
   * A text beside the definition that names it.
   * @throws BuildError `IMAGE_FILE_MISSING`, `IMAGE_PATH_ESCAPES`
   */
  readBeside(reference: Reference): string {
    return this.#text(this.inspectBeside(reference, 'file').path, reference.location);
  }

  /**
   * A file or a directory in the directory of the definition that names it, and its path in the workspace. Its files count as needed.
   * @throws BuildError `IMAGE_FILE_MISSING`, `IMAGE_FILE_TYPE`, `IMAGE_PATH_ESCAPES`
   */
  inspectBeside(
    { path, location }: Reference,
    type: 'file' | 'directory',
  ): { readonly path: string; readonly found: LocalFile } {
    const resolved = resolvePath(location.file, path);
    const escapes = (real: string) =>
      new BuildError(
        'IMAGE_PATH_ESCAPES',
        real === resolved
          ? `'${path}' is not in the definition's directory`
          : `'${path}' leads out of the definition's directory, to '${real}'`,
        { location, hint: 'copy it beside the definition' },
      );
    if (!isBeside(location.file, resolved)) throw escapes(resolved);
    const found = this.#source.inspect(resolved);
    if (found === undefined) throw missing(resolved, location);
    if (!isBeside(location.file, found.realPath)) throw escapes(found.realPath);
    if (found.type !== type) {
      throw new BuildError('IMAGE_FILE_TYPE', `'${resolved}' is not a ${type === 'file' ? 'regular file' : type}`, {
        location,
      });
    }
    if (type === 'file') this.#files.add(resolved);
    for (const entry of found.entries ?? []) if (entry.type === 'file') this.#files.add(`${resolved}/${entry.path}`);
    return { path: resolved, found };
  }

  #text(file: string, reference: SourceLocation | undefined): string {
    const text = this.#source.read(file);
    if (text === undefined) throw missing(file, reference);
    this.#files.add(file);
    return text;
  }
}

function missing(file: string, location: SourceLocation | undefined): BuildError {
  return new BuildError('IMAGE_FILE_MISSING', `there is no file '${file}'`, {
    ...(location === undefined ? {} : { location }),
    hint: 'paths are relative to the file that names them',
  });
}

function requestedPackages(list: LocatedJson | undefined): RequestedPackage[] {
  return listItems(list).flatMap((item) =>
    item.kind === 'scalar'
      ? [{ dependency: parseDependency(spaced(String(item.value))), location: item.location }]
      : [],
  );
}

/** `name>=1` as `name >= 1`. */
function spaced(text: string): string {
  return text.replace(/^([^\s<>=]+)\s*(<=|>=|<|>|==?)\s*(\S+)$/, '$1 $2 $3');
}

/** One path or a list of paths; undefined when it is neither. */
export function references(value: LocatedJson | undefined): Reference[] | undefined {
  if (value === undefined) return undefined;
  const items = value.kind === 'list' ? value.items : [value];
  const found = items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? [{ path: item.value, location: item.location }] : [],
  );
  return found.length === items.length ? found : undefined;
}
