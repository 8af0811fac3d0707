/** Makes a differing spec small: drops lines, then shortens the lines that are left. */

/** The smallest spec found with at most `tries` comparisons. */
export async function shrinkSpec(
  text: string,
  stillDiffers: (candidate: string) => Promise<boolean>,
  tries = 150,
): Promise<string> {
  let lines = text.split('\n');
  let left = tries;
  const attempt = async (candidate: readonly string[]): Promise<boolean> => {
    if (left <= 0) return false;
    left -= 1;
    if (!(await stillDiffers(candidate.join('\n')))) return false;
    lines = [...candidate];
    return true;
  };
  for (let size = lines.length >> 1; size >= 1 && left > 0; size >>= 1) {
    for (let at = 0; at < lines.length && left > 0;) {
      const without = [...lines.slice(0, at), ...lines.slice(at + size)];
      if (!(await attempt(without))) at += size;
    }
  }
  for (let index = 0; index < lines.length && left > 0; index += 1) {
    for (let words = lines[index]!.split(' '), at = words.length - 1; at > 0 && left > 0; at -= 1) {
      const shorter = words.filter((_, place) => place !== at);
      if (await attempt(lines.map((line, place) => (place === index ? shorter.join(' ') : line)))) words = shorter;
    }
  }
  return lines.join('\n');
}
