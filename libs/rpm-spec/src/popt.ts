/** Command lines of section headers, %setup and %patch, split and parsed as popt does. */

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
    } else if (/\s/.test(c)) {
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

/** Options behind the first word; `flags` take no value, `valued` take one (`-n x`, `-nx`, `-n=x`). */
export function parseOptions(words: readonly string[], flags: string, valued: string): ParsedOptions {
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
      else if (valued.includes(letter)) {
        const attached = word.slice(at + 1).replace(/^=/, '');
        if (at + 1 < word.length) options.push({ letter, value: attached });
        else if (index + 1 < words.length) options.push({ letter, value: words[++index]! });
        else return { options, operands, bad: `-${letter}` };
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
