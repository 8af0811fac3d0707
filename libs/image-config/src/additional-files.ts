/** Files, directories and links that a definition brings into the image. */
import type { SourceLocation } from '@kiln/diagnostics';
import type { DefinitionReader } from './definition-reader.ts';
import { plainValue, valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';

/** Something that is put at an absolute path of the image. */
export type AddedFile = AddedRegularFile | AddedDirectory | AddedLink;

interface Owned {
  /** Absolute in the image, without `.` and `..`. */
  readonly path: string;
  readonly mode: number;
  /** Name or number. */
  readonly owner: string;
  readonly group: string;
}

export interface AddedRegularFile extends Owned {
  readonly type: 'file';
  /** In the workspace. */
  readonly source: string;
}

/** An existing directory stays as it is. */
export interface AddedDirectory extends Owned {
  readonly type: 'directory';
}

export interface AddedLink {
  readonly type: 'link';
  readonly path: string;
  readonly target: string;
}

interface Destination {
  readonly Path: string;
  readonly Permissions?: string;
  readonly DirectoryPermissions?: string;
  readonly Owner?: string;
  readonly Group?: string;
}

/** In the order of the definition; what is wrong goes to `problems`. */
export function readAddedFiles(system: LocatedJson, reader: DefinitionReader, problems: ProblemList): AddedFile[] {
  const added = [
    ...members(valueAt(system, ['AdditionalDirs'])).flatMap((member) => readDirectory(member, reader, problems)),
    ...members(valueAt(system, ['AdditionalFiles'])).flatMap((member) => readFile(member, reader, problems)),
    ...members(valueAt(system, ['AdditionalLinks'])).flatMap(({ key, keyLocation, value }): Placed[] => {
      const path = imagePath(key, keyLocation, problems);
      const target = String(plainValue(value));
      if (target === '' || target.includes('\0')) problems.add("a link can't point to nothing", value.location);
      return [{ file: { type: 'link', path, target }, location: keyLocation }];
    }),
  ];
  const places = new Map<string, AddedFile>();
  for (const { file, location } of added) {
    if (file.path === '/' && file.type !== 'directory')
      problems.add("nothing can be put at '/': it is a directory", location, 'write the whole path, with a name');
    const other = places.get(file.path);
    if (other !== undefined && !(other.type === 'directory' && file.type === 'directory'))
      problems.add(`two things are put at '${file.path}'`, location);
    else places.set(file.path, file);
  }
  return [...places.values()];
}

interface Placed {
  readonly file: AddedFile;
  readonly location: SourceLocation;
}

interface Member {
  readonly key: string;
  readonly keyLocation: SourceLocation;
  readonly value: LocatedJson;
}

function readFile({ key, keyLocation, value }: Member, reader: DefinitionReader, problems: ProblemList): Placed[] {
  const { path: source, found } = reader.inspectBeside({ path: key, location: keyLocation }, 'file');
  const destinations = value.kind === 'list' ? value.items : [value];
  return destinations.map((place) => {
    const destination = destinationOf(place);
    const file: AddedFile = {
      type: 'file',
      source,
      path: imagePath(destination.Path, place.location, problems),
      mode: modeOf(destination.Permissions, found.executable),
      ...ownerOf(destination),
    };
    return { file, location: place.location };
  });
}

function readDirectory({ key, keyLocation, value }: Member, reader: DefinitionReader, problems: ProblemList): Placed[] {
  const { path: source, found } = reader.inspectBeside({ path: key, location: keyLocation }, 'directory');
  const destination = destinationOf(value);
  const top = imagePath(destination.Path, value.location, problems);
  const directory = { type: 'directory', mode: modeOf(destination.DirectoryPermissions, true) } as const;
  const inside = (found.entries ?? []).flatMap(({ path, type, executable, target }): AddedFile[] => {
    const where = `${top === '/' ? '' : top}/${path}`;
    if (type === 'directory') return [{ ...directory, path: where, ...ownerOf(destination) }];
    if (type === 'link') return [{ type, path: where, target: target! }];
    if (type === 'file') {
      const mode = modeOf(destination.Permissions, executable);
      return [{ type, source: `${source}/${path}`, path: where, mode, ...ownerOf(destination) }];
    }
    problems.add(`'${source}/${path}' is neither a file nor a directory nor a link`, keyLocation);
    return [];
  });
  const own: AddedFile[] = top === '/' ? [] : [{ ...directory, path: top, ...ownerOf(destination) }];
  return [...own, ...inside].map((file) => ({ file, location: value.location }));
}

function destinationOf(place: LocatedJson): Destination {
  const plain = plainValue(place) as string | Destination;
  return typeof plain === 'string' ? { Path: plain } : plain;
}

/** Of the bits of the source only that of execution counts: the others depend on who made the working copy. */
function modeOf(permissions: string | undefined, executable: boolean): number {
  return permissions === undefined ? (executable ? 0o755 : 0o644) : Number.parseInt(permissions, 8);
}

function ownerOf({ Owner = 'root', Group = 'root' }: Destination): { owner: string; group: string } {
  return { owner: Owner, group: Group };
}

/** An absolute path in the image, without what would lead out of it. */
function imagePath(path: string, location: SourceLocation, problems: ProblemList): string {
  const plain = plainPath(path);
  if (!path.startsWith('/') || path.includes('\0')) {
    problems.add(`'${path}' is not an absolute path in the image`, location);
  } else if (plain.split('/').includes('..')) {
    problems.add(`'${path}' has '..' in it`, location, 'write the path without it');
  } else if (/^\/(dev|proc|sys|run|tmp)(\/|$)/.test(plain)) {
    problems.add(`nothing can be put at '${path}': it is not part of an image`, location);
  }
  return plain;
}

/** Absolute, without empty steps and dots. */
export function plainPath(path: string): string {
  return `/${path
    .split('/')
    .filter((step) => step !== '' && step !== '.')
    .join('/')}`;
}

function members(value: LocatedJson | undefined): Member[] {
  if (value?.kind !== 'object') return [];
  return [...value.members].map(([key, { keyLocation, value: inner }]) => ({ key, keyLocation, value: inner }));
}
