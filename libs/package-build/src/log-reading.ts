/** What the log of rpmbuild says about a failure. Phrases are rpm 4.18's (build/build.c, build/parsePrep.c, lib/depends.c). */
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import type { LimitBreach } from '@kiln/sandbox';
import { limitError } from './limit-errors.ts';

export interface FailureContext {
  readonly subject: string;
  readonly specFile: string;
  readonly specText: string;
  readonly status: number;
  readonly timedOut: boolean;
  /** The limit of the whole build that ended it. */
  readonly breach?: LimitBreach;
  /** The end of the log. */
  readonly tail: string;
  readonly log: string;
  readonly limitSeconds: number;
}

interface FailureKind {
  readonly code: string;
  readonly pattern: RegExp;
  message(match: RegExpExecArray, context: FailureContext): string;
  readonly hint: string;
  /** The spec section that the match names. */
  section?(match: RegExpExecArray): string;
}

const KINDS: readonly FailureKind[] = [
  {
    code: 'DISK_FULL',
    pattern: /No space left on device|Disk quota exceeded|database or disk is full/,
    message: (_, { subject }) => `no space left while building ${subject}`,
    hint: 'free some space or point KILN_STORE at a larger disk, then run the same command again',
  },
  {
    code: 'OPEN_FILES_LIMIT',
    pattern: /Too many open files/,
    message: (_, { subject }) => `a program in the build of ${subject} had more files open than it may`,
    hint: 'look for a program that closes nothing; if it is right so, raise "openFiles" of the package\'s "limits" in toolkit/packages.json',
  },
  {
    code: 'FILE_SIZE_LIMIT',
    pattern: /File size limit exceeded|File too large/,
    message: (_, { subject }) => `a program in the build of ${subject} wrote a larger file than it may`,
    hint: 'look for what it writes; if it is right so, raise "fileSizeBytes" of the package\'s "limits" in toolkit/packages.json',
  },
  {
    code: 'BUILD_REQUIRES_MISSING',
    pattern: /error: Failed build dependencies:\n((?:\s+.*is needed by.*\n?)+)/,
    message: (match, { subject }) =>
      `the build root of ${subject} lacks: ${match[1]!.trim().replace(/\s*\n\s*/g, '; ')}`,
    hint: 'the plan and rpm disagree about what the root contains; report this as a defect',
  },
  {
    code: 'TESTS_FAILED',
    pattern: /error: Bad exit status from \S+ \(%check\)/,
    message: (_, { subject }) => `the %check section of ${subject} failed`,
    hint: 'read the log above the message; toolkit/packages.json can say with a reason that it is flaky or skipped',
    section: () => '%check',
  },
  {
    code: 'RPMBUILD_FAILED',
    pattern: /error: Bad exit status from \S+ \((%\w+)\)/,
    message: (match, { subject }) => `the ${match[1]} section of ${subject} failed`,
    hint: 'read the log above the message',
    section: (match) => match[1]!,
  },
  {
    code: 'RPMBUILD_FAILED',
    pattern:
      /error: (File not found|File must begin|Installed \(but unpackaged\) file\(s\) found|Empty %files file)[^\n]*(?:\n\s+\/[^\n]*)*/,
    message: (match, { subject }) => `${subject}: ${match[0].replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}`,
    hint: 'make the %files sections name what the build installs',
    section: () => '%files',
  },
  {
    code: 'RPMBUILD_FAILED',
    pattern: /error: [^\n]*/,
    message: (match, { subject }) => `${subject}: ${match[0].replace(/^error: /, '')}`,
    hint: 'read the log',
  },
];

/** The error for a failed rpmbuild: the first kind whose phrase is in the end of the log. */
export function explainFailure(context: FailureContext): BuildError {
  const { subject, specFile, log, timedOut, breach, limitSeconds, status } = context;
  const place = { log, location: { file: specFile, line: 1 } };
  if (timedOut) return limitError(subject, { limit: 'seconds', allowed: limitSeconds, used: limitSeconds }, place);
  if (breach !== undefined) return limitError(subject, breach, place);
  for (const kind of KINDS) {
    const match = kind.pattern.exec(context.tail);
    if (match === null) continue;
    return new BuildError(kind.code, `${kind.message(match, context)}${lastWords(context.tail)}`, {
      location: sectionLocation(context, kind.section?.(match)),
      hint: kind.hint,
      log,
    });
  }
  return new BuildError(
    'RPMBUILD_FAILED',
    `rpmbuild of ${subject} ended with status ${status}${lastWords(context.tail)}`,
    { ...place, hint: 'read the log' },
  );
}

/** The line of a section's header in the spec, or its first line. */
function sectionLocation({ specFile, specText }: FailureContext, section: string | undefined): SourceLocation {
  const at =
    section === undefined ? -1 : specText.split('\n').findIndex((line) => line.trimEnd().split(/\s/)[0] === section);
  return { file: specFile, line: at + 1 || 1 };
}

/** The last lines before rpm's own summary: usually the compiler's or make's message. */
function lastWords(tail: string): string {
  const lines = tail.split('\n').filter((line) => line.trim() !== '');
  const end = lines.findIndex(
    (line) => line.startsWith('error: Bad exit status') || line.startsWith('RPM build errors:'),
  );
  const before = lines.slice(0, end < 0 ? undefined : end).filter((line) => !line.startsWith('Executing('));
  const shown = before.slice(-8);
  return shown.length === 0 ? '' : `\n${shown.map((line) => `    | ${line}`).join('\n')}`;
}
