/** Whether the machine has what the stages need, and what would have to be done. */
import type { Fix, Host, ProbeResult, Requirement } from '@kiln/host';

export interface Finding extends ProbeResult {
  readonly name: string;
  readonly why: string;
  readonly minimalVersion?: string;
  readonly debianPackage?: string;
}

/** What brings the machine in order, in the order in which it has to be done. */
export interface Repairs {
  readonly aptPackages: readonly string[];
  readonly commands: readonly (readonly [string, ...string[]])[];
  /** Sentences: what only a person can do. */
  readonly manual: readonly string[];
}

/** Probes each requirement once; equal names are one requirement. */
export async function examine(host: Host, requirements: readonly Requirement[]): Promise<Finding[]> {
  const unique = [...new Map(requirements.map((one) => [one.name, one])).values()];
  return Promise.all(
    unique.map(async ({ name, why, minimalVersion, debianPackage, probe }) => ({
      name,
      why,
      ...(minimalVersion === undefined ? {} : { minimalVersion }),
      ...(debianPackage === undefined ? {} : { debianPackage }),
      ...(await probe(host)),
    })),
  );
}

/** @param hasApt whether the machine installs its packages with apt; otherwise apt fixes are for a person to translate. */
export function planRepairs(findings: readonly Finding[], hasApt: boolean): Repairs {
  const fixes = findings.flatMap((finding) =>
    finding.ok || finding.fix === undefined ? [] : [{ finding, fix: finding.fix }],
  );
  const apt = fixes.flatMap(({ fix }) => (fix.kind === 'apt' ? fix.packages : []));
  return {
    aptPackages: hasApt ? [...new Set(apt)].sort() : [],
    commands: fixes.flatMap(({ fix }) => (fix.kind === 'command' ? [fix.argv] : [])),
    manual: fixes.flatMap(({ finding, fix }) => manualText(finding, fix, hasApt)),
  };
}

/** How to get one missing thing, for the table. */
export function fixText(finding: Finding, hasApt: boolean): string {
  const { fix } = finding;
  if (finding.ok) return '';
  if (fix === undefined) return finding.message;
  switch (fix.kind) {
    case 'apt':
      return hasApt ? `apt-get install ${fix.packages.join(' ')}` : manualText(finding, fix, hasApt).join('');
    case 'command':
      return fix.argv.join(' ');
    case 'manual':
      return fix.text;
  }
}

function manualText({ name, minimalVersion }: Finding, fix: Fix, hasApt: boolean): string[] {
  if (fix.kind === 'manual') return [`${name}: ${fix.text}`];
  if (fix.kind !== 'apt' || hasApt) return [];
  const version = minimalVersion === undefined ? '' : ` ${minimalVersion} or later`;
  return [`${name}${version}: install the package that has it (Debian calls it ${fix.packages.join(', ')})`];
}
