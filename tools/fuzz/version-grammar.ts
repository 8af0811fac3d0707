/** Generates versions that lie near each other, and dependencies on them. */
import type { Random } from './random.ts';

/** Two texts `[epoch:]version[-release]`. */
export type VersionPair = readonly [a: string, b: string];

/** Two conditions such as `>= 1.0-1`; empty for none. */
export interface DependencyPair {
  readonly provided: string;
  readonly required: string;
}

const PIECES = [
  ...[
    '0',
    '1',
    '2',
    '9',
    '10',
    '01',
    '001',
    '100',
    '20240101',
    '4294967296',
    '99999999999999999999',
    'a',
    'b',
    'z',
    'A',
    'rc',
    'RC1',
  ],
  ...['beta', 'git', '1a', 'a1', 'fc4'],
];
const SEPARATORS = ['.', '.', '.', '_', '+', '~', '^', '..', '~~', '^^', '~^', '^~', '', '._'];
const ODD = ['-', ':', '/', '%', ' ', 'é', '!', '@', '*', '='];

/** A pair of which the second is often a small change of the first. */
export function versionPair(random: Random): VersionPair {
  const odd = random.chance(0.1);
  const first = evr(random, odd);
  return [first, random.chance(0.6) ? near(random, first, odd) : evr(random, odd)];
}

/** What one package provides and another requires. */
export function dependencyPair(random: Random): DependencyPair {
  const drawn = evr(random, false).replaceAll('..', '.');
  const first = acceptable(drawn) ? drawn : '1.0';
  const second = random.chance(0.7) ? near(random, first, false) : evr(random, false);
  return { provided: condition(random, first), required: condition(random, acceptable(second) ? second : first) };
}

function condition(random: Random, version: string): string {
  if (random.chance(0.04)) return '';
  return `${random.pick(['=', '=', '<', '<=', '>', '>='])} ${version}`;
}

function evr(random: Random, odd: boolean): string {
  const epoch = random.chance(0.3) ? `${random.pick(['0', '1', '2', '00', '10'])}:` : '';
  const release = random.chance(0.5) ? `-${part(random, odd)}` : '';
  return `${epoch}${part(random, odd)}${release}`;
}

function part(random: Random, odd: boolean): string {
  let text = random.pick(PIECES);
  for (let count = random.below(4); count > 0; count -= 1) {
    text += random.pick(odd && random.chance(0.3) ? ODD : SEPARATORS) + (random.chance(0.9) ? random.pick(PIECES) : '');
  }
  return text;
}

function near(random: Random, text: string, odd: boolean): string {
  const at = random.below(text.length + 1);
  const changed = random.weighted<() => string>([
    [3, () => text.slice(0, at) + text.slice(at + 1)],
    [3, () => text.slice(0, at) + random.pick(odd ? ODD : SEPARATORS) + text.slice(at)],
    [3, () => text.slice(0, at) + random.pick(PIECES) + text.slice(at)],
    [1, () => `${text}${random.pick(SEPARATORS)}`],
    [1, () => text.replace(/-.*$/, '')],
    [1, () => text.replace(/^\d*:/, '')],
    [1, () => text],
  ])();
  return changed === '' ? text : changed;
}

/** What a spec accepts: an epoch of digits, no empty version or release, one dash at most, no two dots in a row. */
function acceptable(text: string): boolean {
  return !text.includes('..') && /^(\d+:)?[A-Za-z0-9._+~^]+(-[A-Za-z0-9._+~^]+)?$/.test(text);
}
