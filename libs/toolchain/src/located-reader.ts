/** Reads values out of a JSON file that people write; each problem is told with its place. */
import { BuildError, nearestWord, type SourceLocation } from '@kiln/diagnostics';
import type { LocatedJson } from '@kiln/image-config';

/** The values of an object's members. */
export type LocatedMembers = ReadonlyMap<string, LocatedJson>;

/** What a text must look like, and how that is called. */
export interface TextForm {
  readonly pattern: Pick<RegExp, 'test'>;
  readonly what: string;
}

interface Place {
  readonly key: string;
  readonly location: SourceLocation;
}

/** All methods throw a BuildError of the code that the reader was made with. */
export class LocatedReader {
  readonly #code: string;
  readonly #file: string;

  constructor(code: string, file: string) {
    this.#code = code;
    this.#file = file;
  }

  /** Gives errors of the parser the reader's own code. */
  guard<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      throw this.#error(error.message, error.location ?? { file: this.#file, line: 1 });
    }
  }

  members(
    value: LocatedJson,
    names: { readonly required: readonly string[]; readonly optional: readonly string[] },
  ): LocatedMembers {
    if (value.kind !== 'object') throw this.#error('an object is expected here', value.location);
    const known = [...names.required, ...names.optional];
    for (const [key, { keyLocation }] of value.members)
      this.known(key, known, { what: 'known here', location: keyLocation });
    const lack = names.required.find((name) => !value.members.has(name));
    if (lack !== undefined) throw this.#error(`the member '${lack}' is missing`, value.location);
    return new Map([...value.members].map(([key, member]) => [key, member.value]));
  }

  /** `{}` or the member under its name, to be spread. */
  optional<Name extends string, T>(
    members: LocatedMembers,
    name: Name,
    read: (value: LocatedJson) => T,
  ): { readonly [N in Name]?: T } {
    const value = members.get(name);
    return value === undefined ? {} : ({ [name]: read(value) } as { readonly [N in Name]?: T });
  }

  /** None when the member is missing. */
  list<T>(value: LocatedJson | undefined, read: (one: LocatedJson) => T): T[] {
    if (value === undefined) return [];
    if (value.kind !== 'list') throw this.#error('a list is expected here', value.location);
    return value.items.map(read);
  }

  map<T>(value: LocatedJson | undefined, read: (one: LocatedJson, place: Place) => T): Record<string, T> {
    if (value === undefined) return {};
    if (value.kind !== 'object') throw this.#error('an object is expected here', value.location);
    const entries = [...value.members].map(
      ([key, member]) => [key, read(member.value, { key, location: member.keyLocation })] as const,
    );
    return Object.fromEntries(entries);
  }

  text(value: LocatedJson, form?: TextForm): string {
    if (value.kind !== 'scalar' || typeof value.value !== 'string' || value.value === '')
      throw this.#error('a text is expected here', value.location);
    if (form !== undefined) this.match(value.value, form, value.location);
    return value.value;
  }

  match(text: string, { pattern, what }: TextForm, location: SourceLocation): void {
    if (!pattern.test(text)) throw this.#error(`'${text}' is not ${what}`, location);
  }

  natural(value: LocatedJson): number {
    if (value.kind === 'scalar' && Number.isSafeInteger(value.value) && (value.value as number) >= 0)
      return value.value as number;
    throw this.#error('a natural number is expected here', value.location);
  }

  /** A path that stays below the directory that it is relative to. */
  relativePath(value: LocatedJson): string {
    const path = this.text(value);
    const isOutside = path.startsWith('/') || path.split('/').includes('..') || /[\\\0]|^\w+:/.test(path);
    if (isOutside) throw this.#error(`the path '${path}' leaves its directory`, value.location);
    return path;
  }

  oneOf(value: LocatedJson, words: readonly string[], what: string): string {
    const word = this.text(value);
    this.known(word, words, { what, location: value.location });
    return word;
  }

  known(
    word: string,
    words: readonly string[],
    { what, location }: { readonly what: string; readonly location: SourceLocation },
  ): void {
    if (words.includes(word)) return;
    const near = nearestWord(word, words);
    throw this.#error(`'${word}' is not ${what}${near === undefined ? '' : `; did you mean '${near}'?`}`, location);
  }

  /** Refuses a list in which two objects have the same value of a member. */
  unique(list: LocatedJson | undefined, member: string): void {
    const seen = new Set<unknown>();
    for (const item of list?.kind === 'list' ? list.items : []) {
      const value = item.kind === 'object' ? item.members.get(member)?.value : undefined;
      if (value?.kind !== 'scalar') continue;
      if (seen.has(value.value)) throw this.#error(`'${value.value}' stands there twice`, value.location);
      seen.add(value.value);
    }
  }

  #error(message: string, location: SourceLocation): BuildError {
    return new BuildError(this.#code, message, { location });
  }
}
