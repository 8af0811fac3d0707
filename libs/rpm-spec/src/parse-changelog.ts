/** %changelog (build/parseChangelog.c). */
import { isSpace, spaceWords, trimSpaceEnd, trimSpaceStart } from '@kiln/rpm-macro';
import { parseText } from './parse-lines.ts';
import type { ChangelogEntry, NextSection, SpecState } from './spec-state.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH_LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Parses the section; a broken entry ends the list with a warning, as rpm goes on after it. */
export function parseChangelog(state: SpecState): NextSection {
  const { text, next } = parseText(state, { comments: true });
  if (state.changelog.length > 0) state.error('SPEC_CHANGELOG', 'second %changelog');
  else addEntries(state, text);
  return next;
}

function addEntries(state: SpecState, text: string): void {
  const age = trimAge(state);
  let rest = trimSpaceStart(text);
  while (rest !== '') {
    const parsed = parseEntry(rest);
    if (typeof parsed === 'string') {
      state.report('warning', 'SPEC_CHANGELOG', parsed, { hint: 'Older entries are lost from here on.' });
      return;
    }
    const { entry, isBogus, length } = parsed;
    const last = state.changelog.at(-1);
    if (isBogus) state.report('warning', 'SPEC_CHANGELOG', `bogus date in %changelog: ${firstLine(rest)}`);
    if (last !== undefined && last.time < entry.time) {
      const message = `%changelog not in descending chronological order: ${firstLine(rest)}`;
      state.report('warning', 'SPEC_CHANGELOG', message, { hint: 'Older entries are lost from here on.' });
      return;
    }
    const newest = state.changelog[0]?.time ?? entry.time;
    if (age !== 0 && entry.time < newest - age) return;
    state.changelog.push(entry);
    rest = rest.slice(length);
  }
}

/** Seconds behind the newest entry beyond which entries are dropped; 0 for never. */
function trimAge(state: SpecState): number {
  const { context } = state;
  const age = context.expandNumeric('%{?_changelog_trimage}');
  const time = context.expandNumeric('%{?_changelog_trimtime}');
  if (age !== 0 || time === 0) return age;
  // An absolute time means an age as of now: the only place where rpm looks at the clock.
  return Number(context.shell('date +%s') ?? time) - time;
}

function parseEntry(text: string): { entry: ChangelogEntry; isBogus: boolean; length: number } | string {
  if (!text.startsWith('*')) return `%changelog entries must start with *: ${firstLine(text)}`;
  const headEnd = text.indexOf('\n');
  if (headEnd < 0) return `incomplete %changelog entry: ${text}`;
  const head = text.slice(1, headEnd);
  const words = spaceWords(head);
  const date = parseDate(words);
  if (date === undefined) return `bad date in %changelog: ${head.trim()}`;
  // Blanks behind the name stay, as in rpm.
  const name = trimSpaceStart(head).replace(date.words === 4 ? SHORT_DATE : LONG_DATE, '');
  if (words.length <= date.words || name === '') return `missing name in %changelog: ${head.trim()}`;
  let bodyStart = headEnd + 1;
  while (bodyStart < text.length && isSpace(text.charCodeAt(bodyStart))) bodyStart += 1;
  if (bodyStart >= text.length) return `no description in %changelog: ${head.trim()}`;
  const nextStar = text.indexOf('\n*', bodyStart);
  const end = nextStar < 0 ? text.length : nextStar + 1;
  const entry = { time: date.time, name, text: trimSpaceEnd(text.slice(bodyStart, end)) };
  return { entry, isBogus: date.isBogus, length: end };
}

/** The words of a date and the blanks behind them. */
const SHORT_DATE = /^(?:[^ \t-\r]+[ \t-\r]+){3}[^ \t-\r]+[ \t-\r]*/;
const LONG_DATE = /^(?:[^ \t-\r]+[ \t-\r]+){5}[^ \t-\r]+[ \t-\r]*/;

/** Zones that the time zone database knows by these names, in hours; mktime() takes any other name for UTC. */
const ZONES: Readonly<Record<string, number>> = { CET: 1, MET: 1, EET: 2, EST: -5, MST: -7, HST: -10 };

/** `Mon Jun 6 2016`, at noon UTC, or `Thu Oct 6 06:48:39 CEST 2016`. */
function parseDate(words: readonly string[]): { time: number; words: 4 | 6; isBogus: boolean } | undefined {
  const weekday = DAYS.indexOf(words[0] ?? '');
  const month = MONTHS.indexOf(words[1] ?? '');
  const day = /^[-+]?\d+$/.test(words[2] ?? '') ? Number(words[2]) : -1;
  if (weekday < 0 || month < 0 || day < 0 || day > MONTH_LENGTHS[month]!) return undefined;
  const isLong = /^.{1,2}:/.test(words[3] ?? '');
  const clock = isLong ? /^(\d{1,2}):(\d{1,2}):(\d{1,2})$/.exec(words[3]!)?.slice(1).map(Number) : [12, 0, 0];
  if (clock === undefined || clock[0]! > 23 || clock[1]! > 59 || clock[2]! > 59) return undefined;
  const yearWord = words[isLong ? 5 : 3] ?? '';
  const year = /^[-+]?\d+$/.test(yearWord) ? Number(yearWord) : -1;
  if (year < 1990 || year >= 3000) return undefined;
  const at = new Date(Date.UTC(year, month, day, clock[0], clock[1], clock[2]));
  const isBogus = at.getUTCDay() !== weekday || at.getUTCDate() !== day || at.getUTCMonth() !== month;
  const zone = isLong ? (ZONES[words[4] ?? ''] ?? 0) : 0;
  return { time: at.getTime() / 1000 - zone * 3600, words: isLong ? 6 : 4, isBogus };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.trim();
}
