/** Paths with macros (rpmGetPath and rpmCleanPath, rpmio/rpmfileutil.c). */
import type { MacroContext } from '@kiln/rpm-macro';

/** Expands a path and cleans it: no doubled slashes, no `.` and `..` steps, no slash at its end. */
export function expandPath(context: MacroContext, path: string): string {
  const expanded = context.expand(path);
  // Most paths are clean.
  return /^(?:\/[\w+-][\w.+-]*)*$/.test(expanded) ? expanded : cleanPath(expanded);
}

/** In place and step by step as in rpm, because what it makes of a `:`, a leading `..` or `...` shows in no simpler rule. */
function cleanPath(path: string): string {
  const text = [...path];
  let [from, to, parent] = [0, 0, 0];
  let begins = true;
  const endsStep = (at: number): boolean => text[at] === '/' || text[at] === undefined;
  while (from < path.length && text[from] !== undefined) {
    const c = text[from];
    const afterSlash = to > 0 && text[to - 1] === '/';
    if (c === ':') {
      if (text[from + 1] === '/' && text[from + 2] === '/') {
        text[to++] = text[from++]!;
        text[to++] = text[from++]!;
        text[to++] = text[from++]!;
        continue;
      }
      begins = true;
    } else if (c === '/') {
      let slash = parent + 1;
      while (slash < to && text[slash] !== '/') slash += 1;
      if (slash < to) parent = slash;
      while (text[from + 1] === '/') from += 1;
      while (to > 0 && text[to - 1] === '/') to -= 1;
    } else if (c !== '.') begins = false;
    else if (begins && text[from + 1] === '.' && endsStep(from + 2)) text[to++] = text[from++]!;
    else if (begins && text[from + 1] === undefined) {
      // A lone `.` stays.
    } else if (afterSlash && text[from + 1] === '/') {
      from += 2;
      continue;
    } else if (afterSlash && text[from + 1] === undefined) {
      from += 1;
      continue;
    } else if (!begins && afterSlash && text[from + 1] === '.' && endsStep(from + 2)) {
      to = parent;
      if (parent > 0)
        do parent -= 1;
        while (parent > 0 && text[parent] !== '/');
      from += 2;
      continue;
    }
    text[to++] = text[from++]!;
  }
  if (to > 1 && text[to - 1] === '/') to -= 1;
  return text.slice(0, to).join('');
}
