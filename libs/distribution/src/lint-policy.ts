/** What of rpmlint's findings counts: rules that the distribution doesn't share, and findings that a package is excused from. */
import type { Diagnostic } from '@kiln/diagnostics';
import type { LintFinding } from '@kiln/package-build';

/** Why a rule of rpmlint is none of the distribution, by its name. */
export type LintRulesOff = Readonly<Record<string, string>>;

/** A finding that is accepted. `path` is the first word of its details, or the beginning of it before a `*`. */
export interface LintWaiver {
  readonly rule: string;
  readonly path?: string;
  readonly reason: string;
}

export interface LintPolicy {
  readonly off: LintRulesOff;
  /** Of this package. */
  readonly waivers: readonly LintWaiver[];
}

/** Errors and warnings that count; a waiver that nothing needs is a warning, so that it is removed. */
export function judgeFindings(findings: readonly LintFinding[], { off, waivers }: LintPolicy): Diagnostic[] {
  const used = new Set<LintWaiver>();
  const counted = findings.flatMap(({ severity, subject, rule, details }): Diagnostic[] => {
    if (rule in off) return [];
    const fitting = waivers.filter((one) => one.rule === rule && covers(one.path, details.split(' ')[0]!));
    for (const one of fitting) used.add(one);
    if (fitting.length > 0) return [];
    return [{ severity, code: 'RPMLINT', message: `${subject}: ${rule} ${details}`.trim() }];
  });
  const idle = waivers
    .filter((one) => !used.has(one))
    .map(({ rule, path }): Diagnostic => ({
      severity: 'warning',
      code: 'WAIVER_UNUSED',
      message: `nothing needs the waiver of ${rule}${path === undefined ? '' : ` for ${path}`}`,
      hint: 'remove it',
    }));
  return [...counted, ...idle];
}

function covers(pattern: string | undefined, path: string): boolean {
  if (pattern === undefined) return true;
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
