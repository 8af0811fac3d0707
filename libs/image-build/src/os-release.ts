/** The file os-release of a system (os-release(5)). */

/** The assignments; lines that are none are passed over, as the manual page asks. */
export function parseOsRelease(text: string): Readonly<Record<string, string>> {
  const assignments = text.split('\n').flatMap((line) => {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim());
    return match === null ? [] : [[match[1]!, unquote(match[2]!)] as const];
  });
  return Object.fromEntries(assignments);
}

/** Shell quoting in its plain form: one pair of quotes around all, with backslashes in double quotes. */
function unquote(value: string): string {
  if (/^'.*'$/.test(value)) return value.slice(1, -1);
  if (/^".*"$/.test(value)) return value.slice(1, -1).replace(/\\(["$`\\])/g, '$1');
  return value;
}
