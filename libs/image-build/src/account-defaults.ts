/** What an image says about new accounts: login.defs(5) and the file that useradd(8) reads. */

export interface AccountDefaults {
  readonly uids: IdRange;
  readonly gids: IdRange;
  /** First subordinate id, and how many a user gets; none when it is 0. */
  readonly subordinate: { readonly first: number; readonly count: number };
  /** Of new home directories. */
  readonly homeMode: number;
  /** Where home directories are. */
  readonly homes: string;
  readonly shell: string;
  /** Directory whose files every new home gets. */
  readonly skeleton: string;
  /** Fields 4 to 6 of shadow(5), as they stand there. */
  readonly passwordAges: readonly [minimum: string, maximum: string, warning: string];
}

interface IdRange {
  readonly first: number;
  readonly last: number;
}

/** Reads both files; what they don't say is as shadow-utils have it. */
export function readAccountDefaults(loginDefs: string, useradd: string): AccountDefaults {
  const login = settings(loginDefs, /^([A-Z_]+)[\s"=]+([^"]*)"?$/);
  const added = settings(useradd, /^([A-Z_]+)=(.*)$/);
  const number = (name: string, standard: number) => readNumber(login.get(name)) ?? standard;
  const umask = readNumber(login.get('UMASK')) ?? 0o022;
  return {
    uids: { first: number('UID_MIN', 1000), last: number('UID_MAX', 60_000) },
    gids: { first: number('GID_MIN', 1000), last: number('GID_MAX', 60_000) },
    subordinate: { first: number('SUB_UID_MIN', 100_000), count: number('SUB_UID_COUNT', 65_536) },
    homeMode: readNumber(login.get('HOME_MODE')) ?? 0o777 & ~umask,
    homes: added.get('HOME') || '/home',
    shell: added.get('SHELL') || '/bin/bash',
    skeleton: added.get('SKEL') || '/etc/skel',
    passwordAges: [
      login.get('PASS_MIN_DAYS') ?? '',
      login.get('PASS_MAX_DAYS') ?? '',
      login.get('PASS_WARN_AGE') ?? '',
    ],
  };
}

function settings(text: string, line: RegExp): Map<string, string> {
  const rows = text.split('\n').flatMap((one) => {
    const match = line.exec(one.trim());
    return match === null ? [] : [[match[1]!, match[2]!.trim()] as const];
  });
  return new Map(rows);
}

/** As C reads it: a leading 0 is octal. */
function readNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  return /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text);
}
