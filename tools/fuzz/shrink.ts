/** Makes a differing input small: removes and simplifies pieces as long as both sides still differ. */

/** For each candidate, whether it still differs; asked for many at once. */
export type StillDiffers = (candidates: readonly string[]) => readonly boolean[];

/** The smallest text found within `rounds` batches of candidates. */
export function shrinkText(text: string, stillDiffers: StillDiffers, rounds = 60): string {
  let best = text;
  for (let round = 0; round < rounds; round += 1) {
    const candidates = [...new Set(smaller(best))].filter((candidate) => candidate.length < best.length);
    if (candidates.length === 0) return best;
    const verdicts = stillDiffers(candidates);
    const passing = candidates.filter((_, index) => verdicts[index]);
    if (passing.length === 0) return best;
    best = passing.reduce((shortest, candidate) => (candidate.length < shortest.length ? candidate : shortest));
  }
  return best;
}

/** Without a line, without a bracketed group or only its inside, without any run of 1 to 8 characters, halves. */
function smaller(text: string): string[] {
  const candidates = [text.slice(0, text.length >> 1), text.slice(text.length >> 1)];
  const lines = text.split('\n');
  if (lines.length > 1)
    lines.forEach((_, index) => candidates.push(lines.filter((_line, at) => at !== index).join('\n')));
  for (const [group, inside] of groups(text)) {
    candidates.push(
      text.replace(group, () => ''),
      text.replace(group, () => inside),
      text.replace(group, () => 'x'),
    );
    candidates.push(group);
  }
  const sizes = text.length > 400 ? [16, 8] : [8, 4, 2, 1];
  for (const size of sizes) {
    for (let at = 0; at < text.length; at += Math.max(1, size >> 1))
      candidates.push(text.slice(0, at) + text.slice(at + size));
  }
  return candidates;
}

/** Bracketed groups with the `%` before them, and what is inside. */
function groups(text: string): [string, string][] {
  const found: [string, string][] = [];
  const stack: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if ('{[('.includes(text[at]!)) stack.push(at);
    else if ('}])'.includes(text[at]!)) {
      const open = stack.pop();
      if (open === undefined) continue;
      const start = text[open - 1] === '%' ? open - 1 : open;
      found.push([text.slice(start, at + 1), text.slice(open + 1, at)]);
    }
  }
  return found.sort((a, b) => b[0].length - a[0].length).slice(0, 40);
}
