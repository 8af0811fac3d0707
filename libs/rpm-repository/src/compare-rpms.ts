/** In what two RPMs that should be the same file differ, as a person wants to read it. */
import type { RpmPackage } from './rpm-header.ts';
import type { RpmFileEntry } from './rpm-files.ts';

/** Sentences, most telling first: files, then the other facts of the header. Empty when the headers say the same. */
export function compareRpms(a: RpmPackage, b: RpmPackage): string[] {
  const { files: filesA, ...headerA } = a;
  const { files: filesB, ...headerB } = b;
  const facts = (Object.keys({ ...headerA, ...headerB }) as (keyof typeof headerA)[])
    .filter((fact) => JSON.stringify(headerA[fact]) !== JSON.stringify(headerB[fact]))
    .map((fact) => ({ fact, sentence: `${fact}: ${brief(headerA[fact])} and ${brief(headerB[fact])}` }));
  const causes = [
    ...compareFiles(filesA, filesB),
    ...facts.filter(({ fact }) => !FOLLOWING.has(fact)).map(({ sentence }) => sentence),
  ];
  return causes.length > 0 ? causes : facts.map(({ sentence }) => sentence);
}

/** They differ because something else does, unless nothing else differs. */
const FOLLOWING: ReadonlySet<keyof RpmPackage> = new Set(['payload', 'layout', 'headerDigest', 'installedSize']);

function compareFiles(a: readonly RpmFileEntry[], b: readonly RpmFileEntry[]): string[] {
  const [byPathA, byPathB] = [a, b].map((files) => new Map(files.map((file) => [file.path, file])));
  const paths = [...new Set([...byPathA!.keys(), ...byPathB!.keys()])].sort();
  return paths.flatMap((path) => {
    const [left, right] = [byPathA!.get(path), byPathB!.get(path)];
    if (left === undefined || right === undefined)
      return [`${path} is only in the ${left === undefined ? 'second' : 'first'}`];
    const fields = (Object.keys({ ...left, ...right }) as (keyof RpmFileEntry)[]).filter(
      (field) => left[field] !== right[field],
    );
    return fields.length === 0
      ? []
      : [`${path}: ${fields.map((field) => `${field} ${brief(left[field])} and ${brief(right[field])}`).join(', ')}`];
  });
}

const MOST_CHARACTERS = 60;

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'none';
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`;
}
