/** Words protected by the ASCII unit separator, as %{quote:} makes them (splitQuoted, unsplitQuoted, rpmio/macro.c). */

const QUOTE = '\x1f';

/** Splits at blanks outside quotes; drops the quotes; quoted words stay even when empty. */
export function splitQuoted(text: string): string[] {
  const words: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= text.length; at += 1) {
    const c = text[at];
    if (!quoted && (c === undefined || c === ' ' || c === '\t')) {
      if (at > start) words.push(text.slice(start, at).replaceAll(QUOTE, ''));
      start = at + 1;
    }
    if (c === QUOTE) quoted = !quoted;
  }
  return words;
}

/** Each word in quotes, joined by a blank. */
export function joinQuoted(words: readonly string[]): string {
  return words.map((word) => `${QUOTE}${word}${QUOTE}`).join(' ');
}
