/** Changes that keep a spec meaningful: other values, moved and repeated lines, inverted conditions, more packages and dependencies. */
import type { Random } from '../fuzz/random.ts';
import { conditional, dependencies } from '../fuzz/spec-sections.ts';

/** How a spec is evaluated besides its text. */
export interface MutatedInput {
  readonly text: string;
  readonly targetArch: 'x86_64' | 'aarch64';
  readonly defines: Readonly<Record<string, string>>;
  /** What was changed, for reports. */
  readonly changes: readonly string[];
}

type Change = (text: string, random: Random) => string | undefined;

const VALUES = ['1', '0', '2.0', '%{nil}', '%{name}', 'x86_64', '%{?undefined_one}', '"text"', '1%{?dist}'];
const ARCHES = ['x86_64', 'aarch64', 'noarch', '%{ix86}', 'x86_64 aarch64', 's390x %{arm}'];
const OPERANDS = ['0', '1', '3', '"a"', '"%{_arch}"', '0%{?dist:1}', '%{with_check}', '%{undefined azl}', 'v"2.0~rc1"'];
const EPOCHS = ['0', '1', '7', '00', '%{?azl}', '%{nil}', '4294967295', '4294967296', '-1', '1:'];
const EVRS = ['1', '1.0-2', '2:1.0', '%{version}-%{release}', '1~rc', ':1', '01:2', '%{epoch}:1', '1^x-1%{?dist}'];
const PREAMBLE_LINE =
  /^(Name|Version|Release|Summary|License|URL|Group|Vendor|Distribution|BuildRequires|Requires)\s*:/;

const CHANGES: Readonly<Record<string, Change>> = {
  'rename a macro': renameMacro,
  'other value of a definition': at(/^%(global|define)\s+\w+\s+\S/, (line, random) =>
    line.replace(/\S+\s*$/, random.pick(VALUES)),
  ),
  'drop a definition': at(/^%(global|define)\s/, () => ''),
  'move a definition': moveLine(/^%(global|define|undefine)\s/),
  'undefine a macro': at(/^%(?:global|define)\s+(\w+)/, (line, random) => {
    const undefine = `%undefine ${/\s(\w+)/.exec(line)![1]!}`;
    return random.pick([`${line}\n${undefine}`, `${undefine}\n${line}`]);
  }),
  'flip a bcond': at(/^%bcond_with(out)?\s/, (line) =>
    line.startsWith('%bcond_without') ? line.replace('without', 'with') : line.replace('with', 'without'),
  ),
  'add a bcond': before(/^Name:/i, (random) => `%bcond_with${random.pick(['', 'out'])} check\n%bcond new_one 1`),
  'invert a condition': at(/^%if\s/, (line) => line.replace(/^%if\s+(.*)$/, '%if !($1)')),
  'other operand of a condition': at(/^%(el)?if\s/, (line, random) =>
    line.replace(/(%\{[^{}]*\}|"[^"]*"|\b\d+\b)(?=[^%]*$)/, random.pick(OPERANDS)),
  ),
  'combine a condition': at(
    /^%if\s/,
    (line, random) => `${line} ${random.pick(['&&', '||'])} ${random.pick(OPERANDS)}`,
  ),
  'other architecture condition': at(/^%ifn?arch\s/, (line, random) =>
    random.chance(0.5)
      ? line.replace(/^%if(n?)arch/, (_, n: string) => (n === '' ? '%ifnarch' : '%ifarch'))
      : `${line} ${random.pick(ARCHES)}`,
  ),
  'nest a line in conditions': at(PREAMBLE_LINE, (line, random) =>
    conditional(
      random,
      conditional(random, [line], () => [line]),
      () => [line],
    ).join('\n'),
  ),
  'repeat a line': at(/^(Requires|Provides|BuildRequires|%global|- )/, (line) => `${line}\n${line}`),
  'drop a line': at(/\S/, () => ''),
  'move a preamble line': moveLine(PREAMBLE_LINE),
  'lazy for eager': at(/^%global\s/, (line) => line.replace('%global', '%define')),
  'eager for lazy': at(/^%define\s+\w+\s/, (line) => line.replace('%define', '%global')),
  noarch: after(/^Summary:/i, () => 'BuildArch: noarch'),
  'restrict the architecture': after(
    /^Release:/i,
    (random) => `Exclu${random.pick(['siveArch', 'deArch', 'siveOS'])}: ${random.pick(ARCHES)}`,
  ),
  'add an epoch': after(/^Version:/i, (random) => `Epoch: ${random.pick(EPOCHS)}`),
  'other version': at(/^(Version|Release):/i, (line, random) =>
    line.replace(/:.*$/, `: ${random.pick(['1', '0.9~rc1', '2^git', '1.2.3%{?dist}', '%{?azl}.1', '10_1', '1..2'])}`),
  ),
  'add dependencies': after(/^(License|Summary):/i, (random) => dependencies(random)),
  'version a dependency': at(
    /^(Build)?Requires(\(\w+\))?:\s*[\w.+-]+\s*$/,
    (line, random) => `${line.trimEnd()} ${random.pick(['>=', '=', '<', '>', '<=', '=='])} ${random.pick(EVRS)}`,
  ),
  'qualify a dependency': at(/^Requires:/, (line, random) =>
    line.replace(
      'Requires',
      `Requires(${random.pick(['post', 'pre,postun', 'meta', 'preun', 'posttrans', 'verify'])})`,
    ),
  ),
  'order instead of require': at(/^Requires(\(\w+\))?:/, (line) => line.replace('Requires', 'OrderWithRequires')),
  'add a sub-package': before(/^%(prep|build|files)\b/, (random) => {
    const name = random.pick(['added', '-n other%{?dist}', '-n lib%{name}']);
    const lines = [`%package ${name}`, 'Summary: Added', dependencies(random)];
    if (random.chance(0.3)) lines.push(random.pick(['Version: 9', 'Epoch: 3', 'BuildArch: noarch', 'Group: Added']));
    lines.push(`%description ${name}`, 'Added to %{name}.', '');
    return [...lines, ...(random.chance(0.7) ? [`%files ${name}`, ''] : [])].join('\n');
  }),
  'drop a section': dropSection,
  'add a scriptlet': before(/^%(files|changelog)\b/, (random) => {
    const kind = random.pick(['pre', 'post', 'preun', 'postun', 'pretrans', 'posttrans', 'verifyscript']);
    return `%${kind}${random.pick(['', ' -p /sbin/ldconfig', ' -p <lua>', ' -e'])}\n${random.pick(['', 'x = 1\n'])}`;
  }),
  'add a trigger': before(/^%(files|changelog)\b/, (random) =>
    random.pick(['%triggerin -- glibc > 2', '%filetriggerin -P 7 -- /usr/lib', '%transfiletriggerpostun -- /etc /opt']),
  ),
  'lists of sources': before(/^%(prep|build)\b/, () => '%sourcelist\nlist-%{version}.tar.gz\n%patchlist\nlist.patch\n'),
  'leave out a source': after(/^Source0?:/i, () => 'NoSource: 0'),
  'question instead of value': replaceOne(/%\{(\w+)\}/g, '%{?$1}'),
  'value instead of question': replaceOne(/%\{\?(\w+)\}/g, '%{$1}'),
  'negated question': replaceOne(/%\{\?(\w+):/g, '%{!?$1:'),
  'unbraced macro': replaceOne(/%\{(\w+)\}(?!\w)/g, '%$1'),
  'lines of another system': (text) => text.replaceAll('\n', '\r\n'),
};

/** Macros of the environment with other values, as on a command line. */
const DEFINES: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['dist', ['.other', '.azl4', '%{nil}']],
  ['azl', ['4', '0', '%{nil}']],
  ['with_check', ['1']],
  ['_vendor', ['other']],
  ['vendor', ['Other', '%{name}']],
  ['_lib', ['lib64']],
  ['debug_package', ['%{nil}']],
  ['_without_check', ['1']],
  ['python3_version', ['3.99']],
  ['_prefix', ['/opt/%{name}']],
  ['_smp_mflags', ['-j1']],
  ['rhel', ['9']],
  ['fedora', ['40']],
];

/** One to four changes of the text, and now and then another architecture or other defines. */
export function mutateSpec(original: string, random: Random): MutatedInput {
  let text = original;
  const changes: string[] = [];
  for (let count = random.below(5); count > 0; count -= 1) {
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
  if (random.chance(0.3)) {
    const [name, values] = random.pick(DEFINES);
    define(name, random.pick(values));
  }
  const bconds = [...original.matchAll(/^%bcond_with(?:out)?\s+(\w+)/gm)].map(([, name]) => name!);
  if (bconds.length > 0 && random.chance(0.6)) {
    const name = random.pick(bconds);
    define(`_with${random.pick(['', 'out'])}_${name}`, '1');
  }
  const targetArch = random.chance(0.35) ? 'aarch64' : 'x86_64';
  if (targetArch === 'aarch64') changes.push(targetArch);
  return { text, targetArch, defines, changes };
}

/** Changes one of the lines that match. */
function at(where: RegExp, how: (line: string, random: Random) => string): Change {
  return (text, random) => {
    const lines = text.split('\n');
    const places = lines.flatMap((line, index) => (where.test(line) ? [index] : []));
    if (places.length === 0) return undefined;
    const place = random.pick(places);
    lines[place] = how(lines[place]!, random);
    return lines.join('\n');
  };
}

function before(where: RegExp, what: (random: Random) => string): Change {
  return at(where, (line, random) => `${what(random)}\n${line}`);
}

function after(where: RegExp, what: (random: Random) => string): Change {
  return at(where, (line, random) => `${line}\n${what(random)}`);
}

/** Up or down by up to ten lines. */
function moveLine(where: RegExp): Change {
  return (text, random) => {
    const lines = text.split('\n');
    const places = lines.flatMap((line, index) => (where.test(line) ? [index] : []));
    if (places.length === 0) return undefined;
    const place = random.pick(places);
    const [line] = lines.splice(place, 1);
    lines.splice(Math.max(0, place - 10 + random.below(20)), 0, line!);
    return lines.join('\n');
  };
}

/** From a section's header to the next one's. */
function dropSection(text: string, random: Random): string | undefined {
  const starts = [
    ...text.matchAll(/^%(?:package|description|files|prep|build|install|check|post|preun|changelog)\b/gm),
  ];
  if (starts.length === 0) return undefined;
  const chosen = random.below(starts.length);
  return text.slice(0, starts[chosen]!.index) + text.slice(starts[chosen + 1]?.index ?? text.length);
}

function replaceOne(pattern: RegExp, replacement: string): Change {
  return (text, random) => {
    const found = [...text.matchAll(pattern)];
    if (found.length === 0) return undefined;
    const { 0: whole, index } = random.pick(found);
    return (
      text.slice(0, index) + whole.replace(new RegExp(pattern.source), replacement) + text.slice(index + whole.length)
    );
  };
}

/** A macro of the spec under another name everywhere, as a word. */
function renameMacro(text: string, random: Random): string | undefined {
  const names = [...text.matchAll(/^%(?:global|define)\s+(\w+)/gm)].map(([, name]) => name!);
  if (names.length === 0) return undefined;
  const name = random.pick(names);
  const other = random.pick([`${name}_renamed`, `x${name}`, 'n']);
  return text.replace(new RegExp(`(?<=%[{?!]*|%(?:global|define)\\s+)\\b${name}\\b`, 'g'), other);
}
