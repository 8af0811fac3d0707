/** Which SELinux label a path gets by a policy's file_contexts(5), as libselinux decides it (label_file.c). */
import { BuildError, type SourceLocation } from '@kiln/diagnostics';

/** find's letters. */
export type FileType = 'f' | 'd' | 'l' | 'c' | 'b' | 'p' | 's';

/** A text and what it is called in messages. */
export interface ContextText {
  readonly file: string;
  readonly text: string;
}

export interface ContextFiles {
  /** `file_contexts`, then `.homedirs` and `.local` when they are there: what is written later wins. */
  readonly contexts: readonly ContextText[];
  /** `file_contexts.subs`: path → the path whose labels it gets. */
  readonly subs?: ContextText;
  /** `file_contexts.subs_dist`; applied after the other. */
  readonly distSubs?: ContextText;
}

interface Entry {
  readonly pattern: RegExp;
  readonly type: FileType | undefined;
  /** Undefined for `<<none>>`. */
  readonly label: string | undefined;
  /** What matches lies below it, or is itself it when the pattern has no wildcards. */
  readonly directory: string;
}

interface RankedEntry extends Entry {
  /** The highest wins. */
  readonly rank: number;
}

interface Substitution {
  readonly from: string;
  readonly to: string;
}

const TYPES: Readonly<Record<string, FileType>> = {
  '--': 'f',
  '-d': 'd',
  '-l': 'l',
  '-c': 'c',
  '-b': 'b',
  '-p': 'p',
  '-s': 's',
};

const NO_LABEL = '<<none>>';

/** A user, a role, a type and, in most policies, a range. */
const LABEL = /^[^:\s]+:[^:\s]+:[^:\s]+(:\S+)?$/;

/** Answers the label of each path; plain lookups, nothing of the machine. */
export class SelinuxContexts {
  /** By the directory that all their paths are in, as far as it has no wildcards: few are then tried for a path. */
  readonly #byDirectory = new Map<string, RankedEntry[]>();
  readonly #subs: readonly (readonly Substitution[])[];

  /** @throws BuildError `SELINUX_CONTEXTS_INVALID` at the line */
  constructor({ contexts, subs, distSubs }: ContextFiles) {
    const specs = contexts.flatMap(parseContexts);
    // What was written last wins, and what has no wildcards over all others.
    const ordered = [...specs.filter(({ isExact }) => !isExact), ...specs.filter(({ isExact }) => isExact)];
    ordered.forEach((entry, rank) => {
      const listed = this.#byDirectory.get(entry.directory) ?? [];
      listed.push({ ...entry, rank });
      this.#byDirectory.set(entry.directory, listed);
    });
    this.#subs = [subs, distSubs].map((one) => (one === undefined ? [] : parseSubstitutions(one)));
  }

  /** Of an absolute path; undefined when it is to have none. */
  labelOf(path: string, type: FileType): string | undefined {
    const plain = path.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
    const meant = bytes(this.#subs.reduce(substituted, plain));
    let best: RankedEntry | undefined;
    for (const directory of [meant, ...directoriesOf(meant)]) {
      for (const entry of this.#byDirectory.get(directory) ?? []) {
        if (best !== undefined && entry.rank < best.rank) continue;
        if ((entry.type === undefined || entry.type === type) && entry.pattern.test(meant)) best = entry;
      }
    }
    return best?.label;
  }
}

/** Those above a path, from the top; the top is the empty text. */
function directoriesOf(path: string): string[] {
  const steps = path.split('/').slice(0, -1);
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'));
}

function parseContexts({ file, text }: ContextText): (Entry & { readonly isExact: boolean })[] {
  return linesOf(text).flatMap(({ words, number }) => {
    const location = { file, line: number };
    const [pattern, second, third] = words;
    const isTyped = words.length === 3;
    const label = isTyped ? third : second;
    const type = isTyped ? TYPES[second!] : undefined;
    if (words.length < 2 || words.length > 3)
      throw invalid(`a line has two or three words, not ${words.length}`, location);
    if (isTyped && type === undefined) throw invalid(`'${second}' is no type of files`, location);
    if (label !== NO_LABEL && !LABEL.test(label!)) throw invalid(`'${label}' is no label`, location);
    const isExact = !/[.^$?*+|[({]/.test(pattern!.replaceAll(/\\./g, ''));
    return [
      {
        pattern: toRegExp(pattern!, location),
        type,
        label: label === NO_LABEL ? undefined : label!,
        directory: bytes(
          isExact && !/\\[0-9A-Za-z]/.test(pattern!) ? pattern!.replaceAll(/\\(.)/g, '$1') : directoryOf(pattern!),
        ),
        isExact,
      },
    ];
  });
}

function parseSubstitutions({ file, text }: ContextText): Substitution[] {
  const found = linesOf(text).map(({ words, number }): Substitution => {
    const [from, to] = words;
    if (words.length !== 2 || !from!.startsWith('/') || !to!.startsWith('/'))
      throw invalid('a line has two absolute paths', { file, line: number });
    return { from: from!.replace(/(.)\/$/, '$1'), to: to!.replace(/(.)\/$/, '$1') };
  });
  return found.reverse();
}

function substituted(path: string, subs: readonly Substitution[]): string {
  const found = subs.find(({ from }) => path === from || path.startsWith(`${from}/`));
  if (found === undefined) return path;
  const rest = path.slice(found.from.length);
  return found.to === '/' ? rest || '/' : `${found.to}${rest}`;
}

function linesOf(text: string): { readonly words: readonly string[]; readonly number: number }[] {
  return text
    .split('\n')
    .map((line, index) => ({ words: line.trim().split(/\s+/), number: index + 1 }))
    .filter(({ words: [first] }) => first !== '' && !first!.startsWith('#'));
}

/** The directory in which everything is that a pattern can match, read up to its first wildcard. */
function directoryOf(pattern: string): string {
  if (isAlternative(pattern)) return '';
  // The character before a quantifier may be missing.
  const literal =
    /^(?:[^.^$?*+|[({\\]|\\[^0-9A-Za-z])*?(?=(?:[^.^$?*+|[({\\]|\\[^0-9A-Za-z])[?*+{]|[.^$|[({]|\\[0-9A-Za-z]|$)/.exec(
      pattern,
    )![0];
  return literal.slice(0, Math.max(0, literal.lastIndexOf('/'))).replaceAll(/\\(.)/g, '$1');
}

/** Whether `|` stands outside of all parentheses. */
function isAlternative(pattern: string): boolean {
  let depth = 0;
  for (const character of pattern.replaceAll(/\\.|\[\^?\]?[^\]]*\]/g, '')) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === '|' && depth === 0) return true;
  }
  return false;
}

/** What PCRE has and JavaScript has not, or means otherwise; nobody needs it in a policy, and a wrong label is worse than none. */
const OTHERWISE = /\\[QEAzZGKRhHvVNXpPCkg]|\(\?(?![:=!])|\(\*|[*+?}]\+|\[\]|\[\^\]|\[[.=]/;

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
  space: '\\s',
  word: '\\w',
};

/** The whole path has to match; `.` is any byte. */
function toRegExp(pattern: string, location: SourceLocation): RegExp {
  const withClasses = pattern.replaceAll(/\[:(\w+):\]/g, (whole, name: string) => CLASSES[name] ?? whole);
  const unescaped = withClasses.replaceAll(/\\\\/g, '');
  if (OTHERWISE.test(unescaped) || withClasses.includes('[:'))
    throw invalid(`the expression '${pattern}' has something that only PCRE knows`, location);
  try {
    return new RegExp(`^(?:${bytes(withClasses)})$`, 's');
  } catch (cause) {
    throw invalid(`'${pattern}' is no regular expression: ${(cause as Error).message}`, location);
  }
}

/** libselinux compares bytes, not characters. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function invalid(message: string, location: SourceLocation): BuildError {
  return new BuildError('SELINUX_CONTEXTS_INVALID', message, { location });
}
