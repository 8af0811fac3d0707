/** Generates macro texts: calls of every form, definitions, expressions, Lua, shell, and plain damage. */
import type { Random } from './random.ts';

const NAMES = [
  ...['one', 'two', 'word', 'words', 'num', 'neg', 'str', 'ver', 'path', 'url', 'blank', 'nil', 'pct', 'lazy', 'multi'],
  ...['long', 'eager', 'brace', 'with_x'],
];
const PARAMETRIC = [
  ...[
    'args',
    'opts',
    'optional',
    'plain',
    'early',
    'scoped',
    'global_in',
    'nested',
    'twice',
    'outer',
    'outest',
    'lu',
    'luo',
    'luret',
  ],
  'with',
];
const OPEN = ['foo', 'bar', 'baz', 'later', 'inner', 'made'];
const RARE = [
  'loop',
  'ping',
  'nowhere',
  '_',
  '_x',
  'a-b',
  'x.y',
  '1',
  '2',
  '*',
  '**',
  '#',
  '0',
  '-a',
  '-b',
  '-b*',
  '-z',
];
const VALUES = [
  ...['basename', 'dirname', 'expand', 'expr', 'quote', 'shescape', 'shrink', 'suffix', 'u2p', 'url2path', 'S', 'P'],
  ...['macrobody', 'exists', 'echo', 'warn', 'uncompress', 'verbose', 'getenv', 'dnl', 'undefine', 'load'],
];
const WORDS = [
  'a',
  'b',
  'quark',
  'beta',
  '1',
  '0',
  '10',
  '-a',
  '-b',
  '-bx',
  '-c',
  '-ab',
  '--',
  '-',
  '-z',
  '2.5',
  'x=y',
  '/a/b.c',
];
const PIECES = [
  ...[
    ' ',
    ' ',
    '  ',
    '\t',
    '\n',
    'x',
    'text ',
    '%%',
    '%',
    '\\',
    '\\\n',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    '"',
    ':',
    '?',
    '!',
  ],
  ...[
    '#',
    '*',
    '-',
    ',',
    '.',
    '$',
    '%%{one}',
    '{}',
    '%{',
    '%(',
    '%[',
    '\u00e9',
    '\x1f',
    '\r\n',
    '\\%',
    '\\}',
    '\\{',
    '\\)',
    '{\\}}',
    '%{?one:\\}}',
  ],
];

/** A text of one or a few items. */
export function macroText(random: Random): string {
  const count = 1 + random.below(5);
  let text = '';
  for (let index = 0; index < count; index += 1) text += item(random, 3);
  return random.chance(0.2) ? damage(random, text) : text;
}

/** Deletes, doubles, swaps or inserts a few characters. */
export function damage(random: Random, text: string): string {
  let result = text;
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const at = random.below(result.length + 1);
    const length = 1 + random.below(3);
    result = random.weighted([
      [3, () => result.slice(0, at) + result.slice(at + length)],
      [2, () => result.slice(0, at) + random.pick(PIECES) + result.slice(at)],
      [1, () => result.slice(0, at) + result.slice(at, at + length).repeat(2) + result.slice(at + length)],
      [1, () => result.slice(0, at) + result.slice(at + 1, at + 2) + result.slice(at, at + 1) + result.slice(at + 2)],
    ])();
  }
  return result;
}

function name(random: Random): string {
  return random.weighted([
    [8, () => random.pick(NAMES)],
    [4, () => random.pick(PARAMETRIC)],
    [5, () => random.pick(OPEN)],
    [2, () => random.pick(RARE)],
    [1, () => random.pick(VALUES)],
  ])();
}

function body(random: Random, depth: number): string {
  let text = '';
  for (let count = random.below(4); count > 0; count -= 1) text += item(random, depth - 1);
  return text;
}

function item(random: Random, depth: number): string {
  if (depth <= 0) return random.chance(0.6) ? random.pick(WORDS) : `%{${name(random)}}`;
  return random.weighted(ITEMS)(random, depth);
}

type Make = (random: Random, depth: number) => string;

const ITEMS: readonly (readonly [number, Make])[] = [
  [6, (random) => `${random.pick(WORDS)}${random.pick(['', ' ', '\n', ';'])}`],
  [3, (random) => random.pick(PIECES)],
  [4, (random) => `%{${name(random)}}`],
  [4, (random) => `%${name(random)}${random.pick(['', ' ', '\n', '.', '/'])}`],
  [2, (random) => `%${random.pick(['?', '!?', '?!', '!', '??', '!!?'])}${name(random)} `],
  [4, (random, depth) => `%{${random.pick(['?', '!?', '?!', '!!?', '?'])}${name(random)}:${body(random, depth)}}`],
  [3, (random) => `%{${random.pick(['?', '!?', '?!', '!'])}${name(random)}}`],
  [4, (random, depth) => `%{${random.pick(PARAMETRIC)}${random.pick([' ', ' ', ':', ''])}${args(random, depth)}}`],
  [3, (random, depth) => `%${random.pick(PARAMETRIC)} ${args(random, depth)}\n`],
  [3, (random, depth) => `%{${random.pick(VALUES)}${random.pick([':', ':', ':', ' ', ''])}${body(random, depth)}}`],
  [1, (random, depth) => `%${random.pick(VALUES)} ${body(random, depth)}\n`],
  [5, definition],
  [1, (random) => `%undefine ${random.pick([...OPEN, ...NAMES])}\n`],
  [4, (random, depth) => `%[${expression(random, depth)}]`],
  [2, (random, depth) => `%{expr:${expression(random, depth)}}`],
  [0.4, (random) => `%(${shell(random)})`],
  [2, lua],
  [1, (random, depth) => `%dnl ${body(random, depth)}\n`],
  [1, (random, depth) => `%{dnl:${body(random, depth)}}`],
  [2, (random, depth) => `{${body(random, depth)}}`],
  [0.3, (random) => `%{${random.pick(['rpmversion', 'getconfdir', 'rpmversion:x', 'trace:y', 'dump:z', 'verbose'])}}`],
];

function args(random: Random, depth: number): string {
  const words: string[] = [];
  for (let count = random.below(5); count > 0; count -= 1) {
    words.push(random.chance(0.75) ? random.pick(WORDS) : item(random, depth - 1));
  }
  return words.join(random.pick([' ', ' ', '  ', '\t']));
}

function definition(random: Random, depth: number): string {
  const target = random.chance(0.9) ? random.pick(OPEN) : name(random);
  const options = random.weighted([
    [6, ''],
    [2, '()'],
    [1, '(a)'],
    [1, '(ab:)'],
    [0.5, '(-)'],
    [0.3, '(a'],
    [0.3, '(+b::)'],
  ]);
  const text = random.chance(0.15) ? `{${body(random, depth)}}` : body(random, depth);
  const keyword = random.pick(['define', 'define', 'global']);
  return random.weighted([
    [6, `%${keyword} ${target}${options} ${text}\n`],
    [1, `%${keyword} ${target}${options} ${text}`],
    [1, `%{${keyword}:${target}${options} ${text}}`],
    [1, `%{${keyword} ${target}${options} ${text}}`],
    [0.5, `%${keyword} ${target}${options}\t\\\n${text}\n`],
    [0.3, `%${keyword} ${target}${options}${text}\n`],
  ]);
}

function expression(random: Random, depth: number): string {
  if (depth <= 0) return operand(random, depth);
  const inner = (): string => expression(random, depth - 1);
  return random.weighted([
    [3, () => operand(random, depth)],
    [
      5,
      () =>
        `${inner()}${random.pick([' ', '', ' '])}${random.pick(OPERATORS)}${random.pick([' ', '', '\t'])}${inner()}`,
    ],
    [1.5, () => `${inner()} ? ${inner()} : ${inner()}`],
    [1.5, () => comparison(random)],
    [1, () => `(${inner()})`],
    [1, () => `${random.pick(['!', '-', '- ', '!!'])}${inner()}`],
    [0.4, () => `lua:${random.pick(['string.upper', 'math.abs', 'rpm.vercmp', 'nothing'])}(${inner()}, ${inner()})`],
    [0.3, () => damage(random, inner())],
  ])();
}

/** Values that are equal or lie near each other. */
function comparison(random: Random): string {
  const values = random.pick([
    ['1', '2', '%{one}', '01'],
    ['"a"', '"b"', '"%{word}"', '"quark"'],
    ['v"1.0"', 'v"1.0-1"', 'v"1.0~a"', 'v"%{ver}"'],
  ]);
  return `${random.pick(values)} ${random.pick(['==', '!=', '<', '<=', '>', '>='])} ${random.pick(values)}`;
}

const OPERATORS = ['+', '-', '*', '/', '==', '!=', '<', '<=', '>', '>=', '&&', '||', '=', '&', ','];

function operand(random: Random, depth: number): string {
  return random.weighted([
    [4, () => String(random.pick([0, 1, 2, 7, 10, 42, 2147483647, 2147483648, 99999999999]))],
    [3, () => `"${random.pick(['', 'a', 'b', 'quark', '1', '%{word}', '%one', '%{nowhere}', '%%'])}"`],
    [2, () => `%{${random.pick(['one', 'num', 'neg', 'two', 'word', 'blank', 'foo', '?bar', 'str'])}}`],
    [1, () => `0%{?${random.pick(['foo', 'one', 'bar'])}}`],
    [1.5, () => `v"${random.pick(['1.0', '1.0~rc1', '2:1.0-3', '1.0^git', '', '%{ver}', '1.0-', '-1', 'a:1', '1:'])}"`],
    [0.5, () => random.pick(['word', 'v1', '08', '0x10', '1.5', '"open', '%{', ''])],
    [0.5, () => (depth > 0 ? item(random, depth - 1) : '3')],
  ])();
}

/** Only words that name no command; no redirection. */
function shell(random: Random): string {
  const words: string[] = [];
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    words.push(random.pick(['a', 'b  c', '%{one}', '%{word}', '%%{two}', '"d e"', '%{nowhere}', '%{nil}']));
  }
  return `echo ${words.join(' ')}`;
}

function lua(random: Random, depth: number): string {
  const quoted = (): string =>
    JSON.stringify(body(random, depth - 1).replace(/[^ -~\n]/g, '')).replaceAll('%', () =>
      random.pick(['%', '%', '%%']),
    );
  const target = random.pick([...OPEN, 'one', 'args']);
  const script = random.weighted([
    [3, () => `print(${quoted()})`],
    [3, () => `print(rpm.expand(${quoted()}))`],
    [2, () => `rpm.define(${JSON.stringify(`${target} `)} .. ${quoted()})`],
    [1, () => `print(macros.${random.pick([...OPEN, 'one'])} or "nil")`],
    [1, () => `macros.${target} = ${quoted()}`],
    [1, () => `print(macros.${random.pick(PARAMETRIC)}({"a", "b c", "-a"}))`],
    [1, () => `print(rpm.isdefined("${target}"))`],
    [1, () => `rpm.undefine("${target}")`],
    [1, () => `return ${random.pick(['1', '"x"', 'nil', 'true', '1.5', '"a", "b"', '10 / 2', '7 // 2'])}`],
    [1, () => `print(opt and opt.a, arg and #arg)`],
    [
      1,
      () =>
        `print(rpm.vercmp("1.0${random.pick(['', '~a', '^b', '-1', '-2'])}", "1.0${random.pick(['', '~b', '-1'])}"))`,
    ],
    [0.5, () => `print(table.concat(rpm.splitargs(${quoted()}), "|"))`],
    [
      0.3,
      () => random.pick(['error("x")', 'syntax error here', 'print(nil)', 'print(1, 2)', 'local t = {} t.x.y = 1']),
    ],
  ])();
  return `%{lua:${random.pick(['', ' '])}${script}}`;
}
