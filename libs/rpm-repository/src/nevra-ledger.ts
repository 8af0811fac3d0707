/** The ledger of a repository: which content each NEVRA stands for, for ever. */
import { canonicalJson, parseSha256, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';

/** NEVRA → artifact digest of every package that was ever in the repository. */
export interface NevraLedger {
  readonly version: 1;
  readonly artifacts: Readonly<Record<string, Sha256>>;
}

export const EMPTY_LEDGER: NevraLedger = { version: 1, artifacts: {} };

/** A package as the ledger sees it. */
export interface LedgerEntry {
  readonly nevra: string;
  readonly artifactDigest: Sha256;
}

/** A NEVRA that stood for other content before. */
export interface ReusedNevra extends LedgerEntry {
  readonly known: Sha256;
}

/** @throws BuildError `LEDGER_MALFORMED` */
export function parseLedger(text: string, file: string): NevraLedger {
  try {
    const value = JSON.parse(text) as { version?: unknown; artifacts?: unknown };
    if (value.version !== 1) throw new Error(`version ${JSON.stringify(value.version)}, expected 1`);
    if (typeof value.artifacts !== 'object' || value.artifacts === null) throw new Error("there are no 'artifacts'");
    const artifacts = Object.entries(value.artifacts).map(([nevra, digest]) => [nevra, parseSha256(String(digest))]);
    return { version: 1, artifacts: Object.fromEntries(artifacts) as Record<string, Sha256> };
  } catch (error) {
    throw new BuildError('LEDGER_MALFORMED', `${file} is not a ledger: ${(error as Error).message}`, {
      hint: 'restore it from a backup; remove it only when nobody has installed packages of this repository',
      cause: error,
    });
  }
}

/** One line per package, sorted, so that a change of one is a change of one line. */
export function formatLedger({ version, artifacts }: NevraLedger): string {
  const lines = Object.keys(artifacts)
    .sort()
    .map((nevra) => `  ${JSON.stringify(nevra)}: ${canonicalJson(artifacts[nevra]!)}`);
  return `{\n "version": ${version},\n "artifacts": {${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n `}}\n}\n`;
}

/** The ledger with these packages in it, and those whose NEVRA stood for other content; the new content wins. */
export function recordArtifacts(
  ledger: NevraLedger,
  entries: readonly LedgerEntry[],
): { readonly ledger: NevraLedger; readonly reused: readonly ReusedNevra[] } {
  const reused = entries.flatMap((entry) => {
    const known = ledger.artifacts[entry.nevra];
    return known === undefined || known === entry.artifactDigest ? [] : [{ ...entry, known }];
  });
  const added = Object.fromEntries(entries.map(({ nevra, artifactDigest }) => [nevra, artifactDigest]));
  return { ledger: { version: 1, artifacts: { ...ledger.artifacts, ...added } }, reused };
}
