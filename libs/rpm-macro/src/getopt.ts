/** Options of parametric macros: getopt(3) of the GNU C library with permutation, as rpmio/rgetopt.c uses it. */

export interface Getopt {
  /** The options in order; `argument` where the option takes one. */
  readonly options: readonly { readonly letter: string; readonly argument?: string }[];
  /** Everything that is no option, in order. */
  readonly operands: readonly string[];
  /** The offending letter when an option is unknown or lacks its argument. */
  readonly unknown?: string;
}

/**
 * Parses `words` by `description` (letters; `:` takes an argument, `::` an attached one; `-` alone turns options off; a
 * leading `+` stops at the first operand).
 */
export function getopt(words: readonly string[], description: string): Getopt {
  if (description === '-') return { options: [], operands: words };
  const options: { letter: string; argument?: string }[] = [];
  const operands: string[] = [];
  const ordered = description.startsWith('+');
  const letters = ordered ? description.slice(1) : description;

  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]!;
    if (word === '--') return { options, operands: [...operands, ...words.slice(index + 1)] };
    if (word.length < 2 || word[0] !== '-') {
      if (ordered) return { options, operands: words.slice(index) };
      operands.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at += 1) {
      const letter = word[at]!;
      const place = letter === ':' || letter === ';' ? -1 : letters.indexOf(letter);
      if (place < 0) return { options, operands: [...operands, ...words.slice(index)], unknown: letter };
      if (letters[place + 1] !== ':') {
        options.push({ letter });
        continue;
      }
      const attached = word.slice(at + 1);
      if (attached !== '') options.push({ letter, argument: attached });
      else if (letters[place + 2] === ':') options.push({ letter });
      else if (index + 1 < words.length) options.push({ letter, argument: words[++index]! });
      else return { options, operands, unknown: letter };
      break;
    }
  }
  return { options, operands };
}
