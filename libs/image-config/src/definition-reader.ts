/** Reads definitions and what they refer to, and remembers which files these were. */
import { BuildError, type Diagnostic, type SourceLocation } from '@kiln/diagnostics';
import { parseDependency, type Dependency } from '@kiln/rpm-package';
import { imageConfigSchema, packageListSchema } from './image-config-schema.ts';
import { listItems, parseLocatedJson, valueAt, type LocatedJson, type LocatedObject } from './located-json.ts';
import { mergeConfig } from './merge-config.ts';
import { schemaProblems } from './validate-config.ts';

/** Reads a text file by its path relative to the workspace; undefined when there is none. */
export type ReadText = (path: string) => string | undefined;

/** A package that the image must have: `name`, or `name op version`. */
export interface RequestedPackage {
  readonly dependency: Dependency;
  readonly location: SourceLocation;
}

/** Follows references between files and remembers what was read. */
export class DefinitionReader {
  readonly #read: ReadText;
  readonly #files = new Set<string>();

  constructor(read: ReadText) {
    this.#read = read;
  }

  files(): string[] {
    return [...this.#files].sort();
  }

  /** A definition over those that it extends, without its `extends`. `from` is the chain of files that led here. */
  readConfig(file: string, from: readonly string[], reference?: SourceLocation): LocatedJson {
    if (from.includes(file)) {
      throw new BuildError('IMAGE_EXTENDS_CYCLE', `'extends' goes in a circle: ${[...from, file].join(' → ')}`, {
        ...(reference === undefined ? {} : { location: reference }),
        hint: 'remove one of these references',
      });
    }
    const json = this.#parse(file, reference);
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

  readPackageLists(json: LocatedJson): RequestedPackage[] {
    const lists = references(valueAt(json, ['SystemConfigs', '0', 'PackageLists'])) ?? [];
    return lists.flatMap(({ path, location }) => {
      const file = resolvePath(location.file, path);
      const list = this.#parse(file, location);
      failOn('IMAGE_CONFIG_INVALID', file, schemaProblems(list, packageListSchema));
      return requestedPackages(valueAt(list, ['packages']));
    });
  }

  #parse(file: string, reference: SourceLocation | undefined): LocatedJson {
    const text = this.#read(file);
    if (text === undefined) {
      throw new BuildError('IMAGE_FILE_MISSING', `there is no file '${file}'`, {
        ...(reference === undefined ? {} : { location: reference }),
        hint: 'paths are relative to the file that names them',
      });
    }
    this.#files.add(file);
    return parseLocatedJson(text, file);
  }
}

/** Throws the problems as one error, when there are any. */
export function failOn(code: string, file: string, problems: readonly Diagnostic[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  if (others.length === 0) throw new BuildError(code, first.message, { location: first.location, hint: first.hint });
  throw new BuildError(code, `${file} has ${problems.length} problems`, {
    location: first.location,
    diagnostics: problems,
  });
}

export function requestedPackages(list: LocatedJson | undefined): RequestedPackage[] {
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
function references(
  value: LocatedJson | undefined,
): { readonly path: string; readonly location: SourceLocation }[] | undefined {
  if (value === undefined) return undefined;
  const items = value.kind === 'list' ? value.items : [value];
  const found = items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? [{ path: item.value, location: item.location }] : [],
  );
  return found.length === items.length ? found : undefined;
}

/** `path` relative to the directory of `file`, with `.` and `..` resolved; both use `/`. */
export function resolvePath(file: string, path: string): string {
  const steps = path.startsWith('/') ? [] : file.split('/').slice(0, -1);
  for (const step of path.split('/')) {
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return (path.startsWith('/') || file.startsWith('/') ? '/' : '') + steps.filter((step) => step !== '').join('/');
}
