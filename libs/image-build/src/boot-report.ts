/** The outcome of a boot test. */
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import type { ImageCheck } from './image-checks.ts';

/** Plain data. */
export interface BootReport {
  readonly image: string;
  readonly osRelease: Readonly<Record<string, string>>;
  /** Of the root, when it was looked at from outside. */
  readonly files?: number;
  readonly packages: number;
  readonly checks: readonly ImageCheck[];
  /** Of each virtual machine that hung before its init, and was started once more. */
  readonly hangs?: readonly string[];
}

const MOST_SHOWN = 20;

/** `BOOT_TEST_FAILED` with a diagnostic for each problem; undefined when every check passed. */
export function failureOfChecks({ image, checks }: BootReport, log: string | undefined): BuildError | undefined {
  const failed = checks.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return undefined;
  const diagnostics = failed.flatMap(({ name, problems }): Diagnostic[] => {
    const shown = problems.slice(0, MOST_SHOWN).map((problem) => `${name}: ${problem}`);
    if (problems.length > MOST_SHOWN) shown.push(`${name}: and ${problems.length - MOST_SHOWN} more`);
    return shown.map((message) => ({ severity: 'error', code: 'BOOT_TEST_FAILED', message }));
  });
  const names = failed.map(({ name }) => `'${name}'`).join(', ');
  return new BuildError('BOOT_TEST_FAILED', `${image}: ${failed.length} of ${checks.length} checks failed: ${names}`, {
    diagnostics,
    log,
  });
}
