/** Changes that keep a spec meaningful: renamed macros, other values, moved and repeated lines, inverted conditions. */
import type { Random } from '../fuzz/random.ts';

/** How a spec is evaluated besides its text. */
export interface MutatedInput {
  readonly text: string;
  readonly targetArch: 'x86_64' | 'aarch64';
  readonly defines: Readonly<Record<string, string>>;
  /** What was changed, for reports. */
  readonly changes: readonly string[];
}

type Change = (text: string, random: Random) => string | undefined;

const CHANGES: Readonly<Record<string, Change>> = {
  'rename a macro': renameMacro,
  'other value of a definition': (text, random) =>
    changeLine(text, random, {
      where: /^%(global|define)\s+\w+\s+\S/,
      how: (line) => line.replace(/\S+\s*$/, random.pick(VALUES)),
    }),
  'drop a definition': (text, random) => changeLine(text, random, { where: /^%(global|define)\s/, how: () => '' }),
  'flip a bcond': (text, random) =>
    changeLine(text, random, {
      where: /^%bcond_with(out)?\s/,
      how: (line) =>
        line.startsWith('%bcond_without') ? line.replace('without', 'with') : line.replace('with', 'without'),
    }),
  'invert a condition': (text, random) =>
    changeLine(text, random, { where: /^%if\s/, how: (line) => line.replace(/^%if\s+(.*)$/, '%if !($1)') }),
  'other architecture condition': (text, random) =>
    changeLine(text, random, {
      where: /^%ifn?arch\s/,
      how: (line) =>
        line.startsWith('%ifn') ? line.replace('%ifnarch', '%ifarch') : line.replace('%ifarch', '%ifnarch'),
    }),
  'repeat a line': (text, random) =>
    changeLine(text, random, {
      where: /^(Requires|Provides|BuildRequires|%global|- )/,
      how: (line) => `${line}\n${line}`,
    }),
  'drop a line': (text, random) => changeLine(text, random, { where: /\S/, how: () => '' }),
  'lazy for eager': (text, random) =>
    changeLine(text, random, { where: /^%global\s/, how: (line) => line.replace('%global', '%define') }),
  'eager for lazy': (text, random) =>
    changeLine(text, random, { where: /^%define\s+\w+\s/, how: (line) => line.replace('%define', '%global') }),
  noarch: (text, random) =>
    changeLine(text, random, { where: /^Summary:/, how: (line) => `${line}\nBuildArch: noarch` }),
  'question instead of value': (text, random) => replaceOne(text, random, /%\{(\w+)\}/g, '%{?$1}'),
  'unbraced macro': (text, random) => replaceOne(text, random, /%\{(\w+)\}(?!\w)/g, '%$1'),
};

const VALUES = ['1', '0', '2.0', '%{nil}', '%{name}', 'x86_64', '%{?undefined_one}', '"text"', '1%{?dist}'];

/** One to three changes of the text, and now and then another architecture or other defines. */
export function mutateSpec(original: string, random: Random): MutatedInput {
  let text = original;
  const changes: string[] = [];
  for (let count = random.below(4); count > 0; count -= 1) {
    const [name, change] = random.pick(Object.entries(CHANGES));
    const changed = change(text, random);
    if (changed === undefined || changed === text) continue;
    text = changed;
    changes.push(name);
  }
  const defines: Record<string, string> = {};
  const define = (name: string, value: string): void => {
    defines[name] = value;
    changes.push(`-D '${name} ${value}'`);
  };
  if (random.chance(0.3)) define('with_check', '1');
  if (random.chance(0.2)) define('dist', '.other');
  const bconds = [...original.matchAll(/^%bcond_with(?:out)?\s+(\w+)/gm)].map(([, name]) => name!);
  if (bconds.length > 0 && random.chance(0.6)) {
    const name = random.pick(bconds);
    define(`_with${random.pick(['', 'out'])}_${name}`, '1');
  }
  const targetArch = random.chance(0.35) ? 'aarch64' : 'x86_64';
  if (targetArch === 'aarch64') changes.push(targetArch);
  return { text, targetArch, defines, changes };
}

function changeLine(
  text: string,
  random: Random,
  { where, how }: { where: RegExp; how: (line: string) => string },
): string | undefined {
  const lines = text.split('\n');
  const places = lines.flatMap((line, index) => (where.test(line) ? [index] : []));
  if (places.length === 0) return undefined;
  const at = random.pick(places);
  lines[at] = how(lines[at]!);
  return lines.join('\n');
}

function replaceOne(text: string, random: Random, pattern: RegExp, replacement: string): string | undefined {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return undefined;
  const { 0: whole, index } = random.pick(found);
  return (
    text.slice(0, index) + whole.replace(new RegExp(pattern.source), replacement) + text.slice(index + whole.length)
  );
}

/** A macro of the spec under another name everywhere, as a word. */
function renameMacro(text: string, random: Random): string | undefined {
  const names = [...text.matchAll(/^%(?:global|define)\s+(\w+)/gm)].map(([, name]) => name!);
  if (names.length === 0) return undefined;
  const name = random.pick(names);
  const other = random.pick([`${name}_renamed`, `x${name}`, 'n']);
  return text.replace(new RegExp(`(?<=%[{?!]*|%(?:global|define)\\s+)\\b${name}\\b`, 'g'), other);
}
