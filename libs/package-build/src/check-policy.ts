/** What a distribution makes of the findings of the checks: an error, a warning, nothing; with waivers that state their reason. */
import type { Diagnostic } from '@kiln/diagnostics';
import type { CheckCode } from './check-codes.ts';
import type { Finding } from './file-rules.ts';

export interface CheckPolicy {
  /** By code of the rule, `*` for all others; a rule that isn't here is an error. */
  readonly severities: Readonly<Partial<Record<CheckCode | '*', 'error' | 'warning' | 'off'>>>;
  /** Flags that all C and C++ code must be compiled with. */
  readonly compilerFlags: readonly string[];
  /** Of this package. */
  readonly waivers: readonly Waiver[];
}

/** A finding that is accepted. `path` is the file's, or the beginning of it before a `*`; without it the whole package is meant. */
export interface Waiver {
  readonly code: CheckCode;
  readonly path?: string;
  readonly reason: string;
}

/** Everything is an error. */
export const STRICT_POLICY: CheckPolicy = { severities: {}, compilerFlags: [], waivers: [] };

/** The findings that count, as diagnostics; a waiver that nothing needs is a warning, so that it is removed. */
export function judge(findings: readonly Finding[], { severities, waivers }: CheckPolicy): Diagnostic[] {
  const used = new Set<Waiver>();
  const counted = findings.flatMap(({ code, path, message, hint }): Diagnostic[] => {
    const waiver = waivers.find((one) => one.code === code && (one.path === undefined || covers(one.path, path)));
    if (waiver !== undefined) used.add(waiver);
    const severity = severities[code] ?? severities['*'] ?? 'error';
    return waiver !== undefined || severity === 'off' ? [] : [{ severity, code, message, hint }];
  });
  const idle = waivers
    .filter((one) => !used.has(one))
    .map(({ code, path }): Diagnostic => ({
      severity: 'warning',
      code: 'WAIVER_UNUSED',
      message: `nothing needs the waiver of ${code}${path === undefined ? '' : ` for ${path}`}`,
      hint: 'remove it',
    }));
  return [...counted, ...idle];
}

function covers(pattern: string, path: string | undefined): boolean {
  return pattern.endsWith('*') ? path?.startsWith(pattern.slice(0, -1)) === true : path === pattern;
}
