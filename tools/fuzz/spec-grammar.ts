/** Generates specs: mostly sound ones with every section and tag, some of them damaged. */
import { damage } from './macro-grammar.ts';
import type { Random } from './random.ts';
import { conditional, dependencies, scriptLines, sections } from './spec-sections.ts';

/** The text of a whole spec. */
export function specText(random: Random): string {
  const text = [...preamble(random), '', '%description', 'Words about it.', ...sections(random), ''].join('\n');
  return random.chance(0.06) ? damage(random, text) : text;
}

const DEFINITIONS: readonly ((random: Random) => string)[] = [
  () => '%global upstream demo',
  () => '%define major 2',
  () => '%global eager %{name}-%{?version}',
  () => '%{!?toggle: %global toggle 1}',
  (random) => `%bcond_with${random.pick(['', 'out'])} ${random.pick(['docs', 'check', 'extra'])}`,
  (random) => `%global flag ${random.pick(['0', '1', '%{nil}', '%{?with_docs:1}'])}`,
  () => '%define twoline first\\\nsecond',
  () => '%define call(a:) <%{-a*}|%1>',
  () => '%define requireit() Requires: %1',
  () => '%undefine toggle',
  (random) => (random.chance(0.05) ? '%dnl nothing %{here' : '%dnl nothing %{here}'),
  () => '# a comment with %%{escaped} macros',
  () => '# a comment with %{name}',
  () => '%{lua: rpm.define("fromlua " .. string.rep("x", 3))}',
  () => '%global _arch_seen %{_target_cpu}',
  () => '%{expand: %%global nested 1}',
  () => '',
  () => '  ',
];

const TAGS: readonly ((random: Random) => string)[] = [
  (random) => `Epoch: ${random.oddly(['0', '1', '2'], ['%{?flag}', 'x', '-1', ''])}`,
  () => 'Group: Things/%{name}',
  (random) => `URL:\t${random.oddly(['https://host.example/%{name}', 'x'], ['x y', '%{nil}'])}`,
  (random) => `Source${random.oddly(['', '0', '1', '5', '01'], ['x', '-1', '1x'])}: ${random.pick(SOURCES)}`,
  (random) => `Source${random.pick(['', '2'])}: ${random.pick(SOURCES)}`,
  (random) =>
    `Patch${random.pick(['', '0', '1', '7', '3'])}: ${random.pick(['one.patch', 'two-%{version}.patch', 'dir/three.patch'])}`,
  (random) => `BuildArch: ${random.oddly(['noarch', 'noarch', 'x86_64'], ['i686 x86_64', '%{nil}', 'aarch64'])}`,
  (random) =>
    `Exclu${random.pick(['siveArch', 'deArch'])}: ${random.oddly(['x86_64', 'x86_64 noarch', 's390x, x86_64'], ['aarch64', '%{ix86}', ''], 0.3)}`,
  (random) => `BuildRoot: ${random.pick(['%{_tmppath}/root', '/'])}`,
  (random) =>
    `${random.pick(['Vendor', 'Packager', 'Distribution', 'VCS', 'BugURL', 'DistTag'])}: ${random.oddly(['some-%{name}'], ['some %{upstream}'])}`,
  (random) => `AutoReq${random.pick(['', 'Prov'])}: ${random.oddly(['no', 'yes', '0', 'N'], ['maybe', ''])}`,
  (random) => `${random.pick(['Prefix', 'Prefixes'])}: ${random.oddly(['/usr', '/opt', '/usr /opt'], ['usr', ''])}`,
  (random) =>
    `${random.chance(0.7) ? '# ' : ''}No${random.pick(['Source', 'Patch'])}: ${random.oddly(['0'], ['0, 1', '1', 'x'], 0.2)}`,
  (random) =>
    `${random.oddly(['summary', 'License', 'Group', 'SUMMARY', 'Summary(de)'], ['Unknown', ' Indented', 'NAME', 'Icon'])}: value`,
  () => '%{expand:%%{?nothing}}',
  () => '%{?requireit:%requireit demo-%{version}}',
  (random) => dependencies(random),
  (random) => dependencies(random),
  (random) => dependencies(random),
  (random) =>
    `BuildRe${random.oddly(['quires'], ['quires(x)', 'quires(post)'])}: ${random.pick(['gcc', 'make >= 4', 'a b c', 'pkgconfig(x) > 1'])}`,
  (random) => random.pick(DEFINITIONS)(random),
];
const SOURCES = [
  'a.tar.gz',
  'https://host.example/b-%{version}.tar.gz',
  'https://host.example/x#/c.tgz',
  'd.txt',
  '%{name}.conf',
  'e f',
];

function preamble(random: Random): string[] {
  const required = [
    `Name: ${random.oddly(['demo', 'demo', 'lib-x_y.z+1', 'demo%{?flag}'], ['%{upstream}', 'a b', '', 'x/y'])}`,
    `Version: ${random.oddly(['1.0', '1.0', '2~rc1', '3^git1', '1.%{?flag}1'], ['1-2', '%{major}.1', '1 2', '', '1.0~~x'])}`,
    `Release: ${random.oddly(['1', '3%{?dist}', '0.1.b', '1_2', '1%{?toggle:7}'], ['%{?toggle:7}', '1-1', ''])}`,
    'Summary: A package',
    `License: ${random.pick(['MIT', 'MIT AND BSD', '%{upstream}'])}`,
  ];
  if (random.chance(0.01)) required.splice(random.below(required.length), 1);
  const lines: string[] = [];
  for (let count = random.below(4); count > 0; count -= 1) lines.push(random.pick(DEFINITIONS)(random));
  for (const line of required) {
    lines.push(line);
    if (random.chance(0.25)) lines.push(random.pick(TAGS)(random));
  }
  for (let count = random.below(7); count > 0; count -= 1) {
    const line = random.pick(TAGS)(random);
    lines.push(...(random.chance(0.25) ? conditional(random, [line], () => [random.pick(TAGS)(random)]) : [line]));
  }
  if (random.chance(0.01)) lines.push(...scriptLines(random));
  return lines;
}
