/** "Did you mean …": the nearest known word. */

/** The candidate with the smallest edit distance to `word`, when that is close enough to be a slip; else undefined. */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  return nearestOf(asKnown(word), [Array.from(candidates, asKnown)]);
}

/** The same for many questions of the same candidates, each of which is asked once. */
export function nearestAmong(candidates: Iterable<string>): (word: string) => string | undefined {
  const byLength = new Map<number, KnownWord[]>();
  for (const candidate of candidates) {
    const known = asKnown(candidate);
    const same = byLength.get(known.word.length);
    if (same === undefined) byLength.set(known.word.length, [known]);
    else same.push(known);
  }
  const answers = new Map<string, string | undefined>();
  return (word) => {
    if (!answers.has(word)) {
      const distances = [...byLength.keys()].map((length) => [Math.abs(length - word.length), length] as const);
      const nearestFirst = distances.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      const lists = nearestFirst.map(([, length]) => byLength.get(length)!);
      answers.set(word, nearestOf(asKnown(word), lists));
    }
    return answers.get(word);
  };
}

const MOST_EDITS = 4;

interface KnownWord {
  readonly word: string;
  readonly lower: string;
  /** One bit for each letter that occurs; several letters share a bit. */
  readonly letters: number;
}

function asKnown(word: string): KnownWord {
  const lower = word.toLowerCase();
  let letters = 0;
  for (let i = 0; i < lower.length; i += 1) letters |= 1 << (lower.charCodeAt(i) % 32);
  return { word, lower, letters };
}

function nearestOf(wanted: KnownWord, lists: readonly (readonly KnownWord[])[]): string | undefined {
  let best: string | undefined;
  // A slip changes at most a third of a word, and of a long one a few letters.
  let bestDistance = Math.min(MOST_EDITS, Math.max(1, Math.floor(wanted.word.length / 3))) + 1;
  const counts = letterCounts(wanted.lower);
  for (const candidates of lists) {
    for (const { word, lower, letters } of candidates) {
      // What is cheap to know first: each letter that only one of the words has costs an edit.
      if (Math.abs(word.length - wanted.word.length) >= bestDistance) continue;
      if (bitCount(letters & ~wanted.letters) >= bestDistance) continue;
      if (bitCount(wanted.letters & ~letters) >= bestDistance) continue;
      if (otherLetters(lower, counts) >= bestDistance) continue;
      const distance = editDistance(wanted.lower, lower, bestDistance);
      if (distance < bestDistance) [best, bestDistance] = [word, distance];
    }
  }
  return best;
}

function bitCount(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const LETTERS = 128;

/** How often each letter occurs; letters beyond ASCII share their places. */
function letterCounts(word: string): Int16Array {
  const counts = new Int16Array(LETTERS);
  for (let i = 0; i < word.length; i += 1) counts[word.charCodeAt(i) % LETTERS]! += 1;
  return counts;
}

/** Letters of `word` beyond the counted ones. */
function otherLetters(word: string, counts: Int16Array): number {
  let others = 0;
  for (let i = 0; i < word.length; i += 1) {
    const letter = word.charCodeAt(i) % LETTERS;
    counts[letter]! -= 1;
    if (counts[letter]! < 0) others += 1;
  }
  for (let i = 0; i < word.length; i += 1) counts[word.charCodeAt(i) % LETTERS]! += 1;
  return others;
}

/** The edit distance, or `limit` when it is not smaller. */
function editDistance(a: string, b: string, limit: number): number {
  let previous = Uint16Array.from({ length: b.length + 1 }, (_, i) => i);
  let current = new Uint16Array(b.length + 1);
  for (let i = 1; i <= a.length; i += 1) {
    let least = (current[0] = i);
    const letter = a.charCodeAt(i - 1);
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = previous[j - 1]! + (letter === b.charCodeAt(j - 1) ? 0 : 1);
      const cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution);
      current[j] = cost;
      if (cost < least) least = cost;
    }
    if (least >= limit) return limit;
    [previous, current] = [current, previous];
  }
  return Math.min(previous[b.length]!, limit);
}
