/** rpmrc files: per-architecture options (doReadRC, lib/rpmrc.c). */

/** One `name: value` line, or `name: arch value` for options that depend on the architecture. */
export interface RpmrcEntry {
  readonly name: string;
  readonly arch?: string;
  readonly value: string;
}

const BY_ARCH: ReadonlySet<string> = new Set(['optflags', 'archcolor']);

/** The entries of an rpmrc text in order; `include` reads the file that an `include:` line names. */
export function parseRpmrc(
  text: string,
  include: (path: string) => string | undefined = () => undefined,
): RpmrcEntry[] {
  const entries: RpmrcEntry[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(\w+)\s*:\s*(.*?)\s*$/.exec(line);
    if (match === null || line.trimStart().startsWith('#')) continue;
    const [, name, value] = match as unknown as [string, string, string];
    const key = name.toLowerCase();
    if (key === 'include') {
      const included = include(value);
      if (included !== undefined) entries.push(...parseRpmrc(included, include));
    } else if (BY_ARCH.has(key)) {
      const arch = /^\S*/.exec(value)![0];
      entries.push({ name: key, arch, value: value.slice(arch.length).trim() });
    } else entries.push({ name: key, value });
  }
  return entries;
}

/** The optflags of an architecture: the last entry counts; macros in it are expanded where it is used. */
export function optflagsOf(entries: readonly RpmrcEntry[], arch: string): string | undefined {
  return entries.findLast((entry) => entry.name === 'optflags' && entry.arch === arch)?.value;
}
