/** rpm's version order (rpmvercmp, rpmio/rpmvercmp.c). */

/**
 * Compares two version or release strings: segments of digits or ASCII letters from the left, digits newer than letters,
 * `~` older than anything (even the end), `^` newer than the end but older than any other continuation.
 */
export function vercmp(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while (i < a.length && !isSegmentStart(a.charCodeAt(i))) i += 1;
    while (j < b.length && !isSegmentStart(b.charCodeAt(j))) j += 1;

    if (a[i] === '~' || b[j] === '~') {
      if (a[i] !== '~') return 1;
      if (b[j] !== '~') return -1;
      i += 1;
      j += 1;
      continue;
    }
    if (a[i] === '^' || b[j] === '^') {
      if (i >= a.length) return -1;
      if (j >= b.length) return 1;
      if (a[i] !== '^') return 1;
      if (b[j] !== '^') return -1;
      i += 1;
      j += 1;
      continue;
    }
    if (i >= a.length || j >= b.length) break;

    const numeric = isDigit(a.charCodeAt(i));
    const [startA, startB] = [i, j];
    const inSegment = numeric ? isDigit : isAlpha;
    while (i < a.length && inSegment(a.charCodeAt(i))) i += 1;
    while (j < b.length && inSegment(b.charCodeAt(j))) j += 1;
    if (j === startB) return numeric ? 1 : -1;

    const order = compareSegments(a.slice(startA, i), b.slice(startB, j), numeric);
    if (order !== 0) return order;
  }
  if (i >= a.length && j >= b.length) return 0;
  return i < a.length ? 1 : -1;
}

function compareSegments(a: string, b: string, numeric: boolean): -1 | 0 | 1 {
  const left = numeric ? a.replace(/^0+/, '') : a;
  const right = numeric ? b.replace(/^0+/, '') : b;
  if (numeric && left.length !== right.length) return left.length > right.length ? 1 : -1;
  if (left === right) return 0;
  return left > right ? 1 : -1;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isAlpha(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

function isSegmentStart(code: number): boolean {
  return isDigit(code) || isAlpha(code) || code === 126 || code === 94;
}
