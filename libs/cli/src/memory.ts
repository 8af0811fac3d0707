/** Amounts of memory and data as people read them. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `812 B`, `512 MB`, `6.0 GB`: units of 1,000; one digit after the point from gigabytes on. */
export function formatMemory(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be shown as a thousand is one of the next unit.
  while (Math.round(value) >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit < 3 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
