/** Text of others on a terminal: what it says is shown, what it would do to the terminal isn't done. */

/** Controls (C0 but tab and line feed, DEL, C1) become what C writes for them: `\x1b`. */
export function printable(text: string): string {
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, (control) => {
    const code = control.codePointAt(0)!.toString(16).padStart(2, '0');
    return `\\x${code}`;
  });
}
