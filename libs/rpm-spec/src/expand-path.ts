/** Paths with macros (rpmGetPath and rpmCleanPath, rpmio/rpmfileutil.c). */
import type { MacroContext } from '@kiln/rpm-macro';

/** Expands a path and removes doubled slashes, `.` and `..` steps and the trailing slash. */
export function expandPath(context: MacroContext, path: string): string {
  const expanded = context.expand(path);
  const isAbsolute = expanded.startsWith('/');
  const steps: string[] = [];
  for (const step of expanded.split('/')) {
    if (step === '' || (step === '.' && (isAbsolute || steps.length > 0))) continue;
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else steps.push(step);
  }
  return (isAbsolute ? '/' : '') + steps.join('/');
}
