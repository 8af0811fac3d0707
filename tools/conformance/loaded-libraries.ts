/** Libraries that an ELF file loads while it runs: those of its notes, and those that it has the names of. */
import { readElf } from '@kiln/build-identity';

/** Any of the libraries will do. */
export interface LoadedLibrary {
  readonly sonames: readonly string[];
  /** How the file tells. */
  readonly because: string;
}

/** Without those that the file only suggests, or that the dynamic linker loads for it. */
export function loadedLibraries(bytes: Uint8Array): LoadedLibrary[] {
  const elf = readElf(bytes);
  if (elf === undefined) return [];
  const notes = dlopenNotes(bytes);
  const told = new Set([...notes.flatMap(({ sonames }) => sonames), ...elf.needed, elf.soname]);
  const named = [...namesIn(bytes)].filter((name) => !told.has(name)).sort();
  return [
    ...notes
      .filter(({ priority }) => priority !== 'suggested')
      .map(({ sonames, priority }) => ({ sonames, because: `its note calls it ${priority}` })),
    ...named.map((name) => ({ sonames: [name], because: 'it has the name' })),
  ];
}

/** Texts that are the name of a library with a version, and nothing else. */
function namesIn(bytes: Uint8Array): Set<string> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return new Set([...text.matchAll(/(?<=\0)lib[\w+.-]+\.so\.\d[\d.]*(?=\0)/g)].map(([name]) => name));
}

/** One entry of the section `.note.dlopen` (UAPI group, "dlopen() Metadata for ELF Files"). */
export interface DlopenNote {
  readonly feature?: string;
  /** `required`, `recommended` or `suggested`; `recommended` when the file doesn't say. */
  readonly priority: string;
  /** Any of them will do. */
  readonly sonames: readonly string[];
}

const SECTION = '.note.dlopen';
const OWNER = 'FDO\0';
const NOTE_TYPE = 0x407c0c0a;

interface WrittenEntry {
  readonly feature?: string;
  readonly priority?: string;
  readonly soname?: readonly string[];
}

/** Empty for a file that is no ELF or has no such notes; a note that is not understood is passed over. */
export function dlopenNotes(bytes: Uint8Array): DlopenNote[] {
  const section = readElf(bytes)?.sections.find(({ name }) => name === SECTION);
  if (section === undefined) return [];
  return [...readNotes(bytes.subarray(section.offset, section.offset + section.size))].flatMap(entriesOf);
}

/** Texts of the notes of the right owner and type; names and texts are padded to four bytes. */
function* readNotes(section: Uint8Array): Generator<string> {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const text = (from: number, to: number): string => Buffer.from(section.subarray(from, to)).toString('utf8');
  for (let at = 0; at + 12 <= section.length;) {
    const [nameSize, textSize, type] = [0, 4, 8].map((field) => view.getUint32(at + field, true)) as [
      number,
      number,
      number,
    ];
    const begin = at + 12 + padded(nameSize);
    if (type === NOTE_TYPE && text(at + 12, at + 12 + nameSize) === OWNER) yield text(begin, begin + textSize);
    at = begin + padded(textSize);
  }
}

function padded(size: number): number {
  return (size + 3) & ~3;
}

function entriesOf(text: string): DlopenNote[] {
  let written: unknown;
  try {
    written = JSON.parse(text.replace(/\0+$/, ''));
  } catch {
    return [];
  }
  if (!Array.isArray(written)) return [];
  return (written as readonly WrittenEntry[])
    .filter(({ soname }) => Array.isArray(soname))
    .map(({ feature, priority = 'recommended', soname }) => ({
      ...(feature === undefined ? {} : { feature }),
      priority,
      sonames: soname!,
    }));
}
