/** The errors of builds that met a limit: what was allowed, what was used, how to allow more. */
import { BuildError } from '@kiln/diagnostics';
import type { LimitBreach, LimitName } from '@kiln/sandbox';

interface LimitText {
  readonly code: string;
  /** After "the build of x": what it did. */
  readonly did: string;
  amount(value: number): string;
  /** Likely reasons that no higher limit helps against. */
  readonly advice: string;
}

const bytes = (value: number): string => {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let left = value;
  while (left >= 1024 && unit < units.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(left) ? left : left.toFixed(1)} ${units[unit]}`;
};

const TEXTS: Readonly<Record<LimitName | 'seconds', LimitText>> = {
  memoryBytes: { code: 'MEMORY_LIMIT', did: 'needed more memory', amount: bytes, advice: 'let fewer jobs run at once' },
  processes: {
    code: 'PROCESS_LIMIT',
    did: 'started more processes and threads',
    amount: String,
    advice: 'look for a script that calls itself',
  },
  diskBytes: {
    code: 'DISK_LIMIT',
    did: 'wrote more to its disk',
    amount: bytes,
    advice: 'look for a test or a generator that writes without end',
  },
  outputBytes: {
    code: 'LOG_LIMIT',
    did: 'wrote more to its log',
    amount: bytes,
    advice: 'look at the end of the log for what repeats itself',
  },
  seconds: {
    code: 'BUILD_TIMEOUT',
    did: 'took more time',
    amount: (value) => `${Math.round(value)} s`,
    advice: 'look at the end of the log for what it waits for',
  },
};

/** What a package's limits are raised with. */
const SETTINGS_FILE = 'toolkit/packages.json';

/** The error for a build that was ended because of a limit. */
export function limitError(
  subject: string,
  { limit, allowed, used }: Omit<LimitBreach, 'limit'> & { readonly limit: LimitName | 'seconds' },
  where: Pick<BuildError, 'location' | 'log'>,
): BuildError {
  const { code, did, amount, advice } = TEXTS[limit];
  const more = used > allowed ? `; it was at ${amount(used)} when it was ended` : '';
  const setting = JSON.stringify({ [subject]: { limits: { [limit]: allowed * 2 } } });
  return new BuildError(code, `the build of ${subject} ${did} than the ${amount(allowed)} that it may${more}`, {
    ...where,
    hint: `${advice}; if it is right so, allow more in ${SETTINGS_FILE}, for example ${setting}`,
  });
}
