/** Links that Debian's maintainer scripts register with update-alternatives(1), read from the scripts' text. Pure. */

export interface Alternative {
  /** Absolute path of the link. */
  readonly link: string;
  /** Absolute path of what it leads to. */
  readonly target: string;
  readonly priority: number;
}

/** Registrations in the text of one script; those that name shell variables are left out. */
export function registeredAlternatives(script: string): Alternative[] {
  const lines = script.replace(/\\\n/g, ' ').split('\n');
  return lines.flatMap((line): Alternative[] => {
    const words = /update-alternatives\s+(.*--install\s.*)$/.exec(line)?.[1]?.replace(/["']/g, '').split(/\s+/);
    if (words === undefined) return [];
    const at = words.indexOf('--install');
    const [link = '', , target = '', priority = ''] = words.slice(at + 1);
    const slaves = words.flatMap((word, i) =>
      word === '--slave' ? [[words[i + 1] ?? '', words[i + 3] ?? ''] as const] : [],
    );
    return [[link, target] as const, ...slaves]
      .filter((pair) => pair.every((path) => /^\/[^$`]+$/.test(path)))
      .map(([one, leadsTo]) => ({ link: one, target: leadsTo, priority: Number(priority) || 0 }));
  });
}

/** Of several targets of one link the one with the highest priority, of equal ones the first by name. */
export function chosenAlternatives(all: readonly Alternative[]): Alternative[] {
  const chosen = new Map<string, Alternative>();
  for (const one of [...all].sort((a, b) => b.priority - a.priority || (a.target < b.target ? -1 : 1)))
    if (!chosen.has(one.link)) chosen.set(one.link, one);
  return [...chosen.values()].sort((a, b) => (a.link < b.link ? -1 : 1));
}
