/** Deliberate faults in the evaluator: each is one replaced piece of its sources. A fuzzer that is worth something finds them. */

export interface Mutation {
  /** Relative to libs/. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

const inFile = (file: string, ...pairs: readonly (readonly [from: string, to: string])[]): Mutation[] =>
  pairs.map(([from, to]) => ({ file, from, to }));

export const MUTATIONS: readonly Mutation[] = [
  ...inFile(
    'rpm-macro/src/macro.ts',
    [
      'if (percent > at) expansion.out += source.slice(at, percent);',
      'if (percent > at + 1) expansion.out += source.slice(at, percent);',
    ],
    ['if ((entry === undefined) !== negated) return end;', 'if ((entry === undefined) === negated) return end;'],
    ['if (hasText && nameEnd + 1 < end - 1)', 'if (hasText && nameEnd + 2 < end - 1)'],
    [
      "expansion.out += '%';\n      return goOn;\n    }\n    if (entry.options",
      'return goOn;\n    }\n    if (entry.options',
    ],
    ['return call.end + rest.consumed;', 'return call.end;'],
    ['if (entry.automatic && expansion.level > entry.level) return undefined;', ''],
    ['if (part.failed) expansion.failed = true;', ''],
    ["trimEolEnd(output.split('\\0', 1)[0]!)", 'output'],
    ['      expansion.out += entry.body;\n    } else', '    } else'],
  ),
  ...inFile(
    'rpm-macro/src/macro-call.ts',
    ['if (code === 33) negated = !negated;', 'if (code === 33) negated = true;'],
    ['goOn: braced ? start : nameStart', 'goOn: braced ? start : end'],
  ),
  ...inFile(
    'rpm-macro/src/macro-end.ts',
    ['if (code === 92) at += 1;\n    else if', 'if'],
    ['if (level <= 0) return at + 1;', 'return at + 1;'],
    ["if (text[at] === '-') at += 1;", ''],
  ),
  ...inFile(
    'rpm-macro/src/arguments.ts',
    ['const last = newline < 0 ? source.length : newline;', 'const last = source.length;'],
    ['return split ? splitQuoted(expanded) : [expanded];', 'return split ? [expanded] : splitQuoted(expanded);'],
    ["push('0', entry.name);", "push('0', '0');"],
    ["push('**', words.slice(1).join(' '));", "push('**', words.join(' '));"],
    ["push('#', String(parsed.operands.length));", "push('#', String(words.length - 1));"],
    ['`-${letter} ${argument}`', '`-${letter}${argument}`'],
  ),
  ...inFile(
    'rpm-macro/src/getopt.ts',
    ["if (description === '-') return", "if (description === '+') return"],
    ["if (word === '--') return", "if (word === '---') return"],
    ["if (attached !== '')", "if (attached === '?')"],
  ),
  ...inFile(
    'rpm-macro/src/quoted-words.ts',
    ['if (at > start) words.push', 'if (at >= start) words.push'],
    ['if (c === QUOTE) quoted = !quoted;', ''],
  ),
  ...inFile(
    'rpm-macro/src/define.ts',
    ['return { body: trimBlankEnd(body), end: at };', 'return { body, end: at };'],
    ["if (read.body === '') {", 'if (false) {'],
    ['while (isEol(text.charCodeAt(end))) end += 1;', ''],
    ["if (next === '{') braces += 1;", 'if (false) braces += 1;'],
  ),
  ...inFile(
    'rpm-macro/src/expression.ts',
    ["const decided = this.token === '&&' ? !holds : holds;", 'const decided = false;'],
    ['this.#discard = outer || holds;', 'this.#discard = outer;'],
    ["'<=': (order) => order <= 0,", "'<=': (order) => order < 0,"],
    ['value = -value | 0;', 'value = value | 0;'],
    ['Math.imul(left, right as number)', 'left * (right as number)'],
  ),
  ...inFile(
    'rpm-macro/src/builtins.ts',
    ['(builtin.arity !== 0) !== given', 'false'],
    ['`%SOURCE${call.argument}`', '`%PATCH${call.argument}`'],
    ["argument.slice(argument.lastIndexOf('.') + 1)", "argument.slice(argument.indexOf('.') + 1)"],
  ),
  ...inFile('rpm-macro/src/macro-table.ts', [
    'if (previous !== undefined && previous.level > 0) this.#scoped.add(name);\n    else this.#scoped.delete(name);',
    '',
  ]),
  ...inFile(
    'rpm-macro/src/bracket-count.ts',
    ['if (text.charCodeAt(at) === 10) open.escapedNewline = true;', ''],
    ['else if (code !== 37) return 0;', 'else return 0;'],
  ),
  ...inFile(
    'rpm-spec/src/parse-prep.ts',
    ["if (!has('D')) reader", 'reader'],
    ["if (state.isSecond('%prep'))", 'if (false)'],
  ),
  ...inFile('rpm-spec/src/parse-reqs.ts', [
    "if (name.startsWith('/')) {\n    state.error('SPEC_DEPENDENCY', `versioned",
    "if (name.startsWith('//')) {\n    state.error('SPEC_DEPENDENCY', `versioned",
  ]),
  ...inFile(
    'rpm-spec/src/dependency-set.ts',
    ['compareText(a.name, b.name) || ', ''],
    ['a.flags - b.flags', 'b.flags - a.flags'],
  ),
  ...inFile('rpm-spec/src/parse-script.ts', ['preun: SENSE.preun,', 'preun: SENSE.pre,']),
  ...inFile('rpm-spec/src/parse-sources.ts', ["digits === '' ? numbers.last + 1", "digits === '' ? numbers.last + 2"]),
  ...inFile('rpm-spec/src/parse-changelog.ts', ['last.time < entry.time', 'last.time <= entry.time']),
  ...inFile('rpm-spec/src/line-types.ts', [
    'return type.hasArgument ? Number.isNaN(next) || isBlank(next) : !isAlpha(next);',
    'return true;',
  ]),
  ...inFile(
    'rpm-spec/src/read-line.ts',
    ['reading: reading && match, readable: reading && !match', 'reading: match, readable: !match'],
    ['if (top!.reading) top!.readable = false;', ''],
  ),
  ...inFile('rpm-spec/src/section-header.ts', ['named === undefined ? 1 : 0', '1']),
  ...inFile(
    'rpm-spec/src/parse-preamble.ts',
    ["  'epoch',\n  'version',", "  'version',"],
    ["  'license',\n  'packager',", "  'packager',"],
  ),
];
