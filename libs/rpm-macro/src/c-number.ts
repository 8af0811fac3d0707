/** Numbers as the C library reads them. */

/** strtol() with base 0: decimal, 0x or 0 for hexadecimal and octal. */
export function parseCNumber(text: string): number {
  const match = /^[ \t-\r]*([-+]?)(.*)$/.exec(text)!;
  const digits = match[2]!;
  const magnitude = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return match[1] === '-' ? -magnitude : magnitude;
}
