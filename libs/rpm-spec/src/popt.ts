/** Command lines of section headers, %setup and %patch, split and parsed as popt does. */
import { isSpace } from '@kiln/rpm-macro';

/** An unfinished escape at the end of the line. */
export class WordError extends Error {}

/** Words at white space; quotes and backslashes as poptParseArgvString(). Empty words vanish. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const c = line[at]!;
    if (quote !== '') {
      if (c === quote) quote = '';
      else if (c === '\\') {
        at += 1;
        if (at >= line.length) throw new WordError('bad quoting');
        word += line[at] === quote ? quote : `\\${line[at]}`;
      } else word += c;
    } else if (isSpace(c.charCodeAt(0))) {
      if (word !== '') words.push(word);
      word = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '\\') {
      at += 1;
      if (at >= line.length) throw new WordError('bad quoting');
      word += line[at];
    } else word += c;
  }
  if (word !== '') words.push(word);
  return words;
}

export interface ParsedOptions {
  /** Every option in order. */
  readonly options: readonly { readonly letter: string; readonly value?: string }[];
  readonly operands: readonly string[];
  /** The option that is unknown or lacks its value. */
  readonly bad?: string;
}

/** The letters that a command knows. */
export interface KnownOptions {
  /** They take no value. */
  readonly flags?: string;
  /** They take one: `-n x`, `-nx`, `-n=x`. */
  readonly valued?: string;
  /** They take a whole number. */
  readonly numbers?: string;
}

/** Options behind the first word. */
export function parseOptions(words: readonly string[], known: KnownOptions): ParsedOptions {
  const { flags = '', valued = '', numbers = '' } = known;
  const options: { letter: string; value?: string }[] = [];
  const operands: string[] = [];
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index]!;
    if (word === '--') return { options, operands: [...operands, ...words.slice(index + 1)] };
    if (word[0] !== '-' || word === '-') {
      operands.push(word);
      continue;
    }
    if (word.startsWith('--')) return { options, operands, bad: word };
    for (let at = 1; at < word.length; at += 1) {
      const letter = word[at]!;
      if (flags.includes(letter)) options.push({ letter });
      else if (valued.includes(letter) || numbers.includes(letter)) {
        const isAttached = at + 1 < word.length;
        const value = isAttached ? word.slice(at + 1).replace(/^=/, '') : words[(index += 1)];
        if (value === undefined || (numbers.includes(letter) && parseInteger(value) === undefined)) {
          return { options, operands, bad: `-${letter}` };
        }
        options.push({ letter, value });
        break;
      } else return { options, operands, bad: `-${letter}` };
    }
  }
  return { options, operands };
}

/** The value of the last option with this letter. */
export function optionValue(parsed: ParsedOptions, letter: string): string | undefined {
  return parsed.options.findLast((option) => option.letter === letter)?.value;
}

/** The value of the last option with this letter, which takes a number. */
export function optionNumber(parsed: ParsedOptions, letter: string): number | undefined {
  const value = optionValue(parsed, letter);
  return value === undefined ? undefined : parseInteger(value);
}

/** A whole number of 32 bits as strtol() reads it with base 0: decimal, hexadecimal or octal; nothing is 0. */
function parseInteger(text: string): number | undefined {
  const match = /^[ \t-\r]*([-+]?)(?:0x([0-9a-f]+)|(0[0-7]*)|([1-9]\d*))$/i.exec(text);
  if (match === null) return text === '' ? 0 : undefined;
  const [, sign, hexadecimal, octal, decimal] = match;
  const magnitude =
    hexadecimal !== undefined
      ? Number.parseInt(hexadecimal, 16)
      : octal !== undefined
        ? Number.parseInt(octal, 8)
        : Number(decimal);
  const value = sign === '-' ? -magnitude : magnitude;
  return value >= -0x8000_0000 && value <= 0x7fff_ffff ? value : undefined;
}
