/** Why a package of a trial failed, in one of a few words. Pure. */
import type { BuildError } from '@kiln/diagnostics';

export type FailureCause =
  | 'missing BuildRequire'
  | 'too old in Debian'
  | 'source'
  | 'spec not evaluated'
  | '%prep'
  | 'compile error'
  | '%install'
  | '%check failure'
  | 'file list mismatch'
  | 'time-out'
  | 'other limit'
  | 'our own checks'
  | 'evaluation differs'
  | 'toolchain'
  | 'other';

type Failure = Pick<BuildError, 'code' | 'message' | 'diagnostics'>;

const BY_CODE: Readonly<Record<string, FailureCause>> = {
  BUILD_TIMEOUT: 'time-out',
  BUILD_REQUIRES_MISSING: 'too old in Debian',
  TESTS_FAILED: '%check failure',
  PLAN_STALE: 'missing BuildRequire',
  MEMORY_LIMIT: 'other limit',
  PROCESS_LIMIT: 'other limit',
  DISK_LIMIT: 'other limit',
  LOG_LIMIT: 'other limit',
};

const BY_SECTION: Readonly<Record<string, FailureCause>> = {
  '%prep': '%prep',
  '%build': 'compile error',
  '%install': '%install',
  '%check': '%check failure',
};

/** The cause as error and diagnostics tell it; the log says more. */
export function failureCause({ code, message, diagnostics }: Failure): FailureCause {
  const codes = new Set([code, ...diagnostics.map((one) => one.code)]);
  if (codes.has('EVALUATION_DIFFERS')) return 'evaluation differs';
  if (code === 'CHECKS_FAILED') return 'our own checks';
  if (codes.has('DEPENDENCY_UNRESOLVED')) {
    const lacks = [message, ...diagnostics.map((one) => one.message)].filter((one) => one.includes('nothing provides'));
    return lacks.every((one) => one.includes('the tree offers')) ? 'too old in Debian' : 'missing BuildRequire';
  }
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code.startsWith('SOURCE')) return 'source';
  if (code.startsWith('TOOLCHAIN') || code.startsWith('SANDBOX')) return 'toolchain';
  if (code === 'PROJECT_BROKEN') return 'spec not evaluated';
  const section = /^the (%\w+) section of/.exec(message)?.[1];
  if (section !== undefined) return BY_SECTION[section] ?? 'other';
  return /File not found|Installed \(but unpackaged\)|Empty %files|File must begin|Directory not found/.test(message)
    ? 'file list mismatch'
    : 'other';
}
