/** What was published: `toolkit/published/<architecture>.json`, committed with the tree. A NEVRA stands for one content, for ever. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { writeFileAtomic } from '@kiln/host';
import { EMPTY_LEDGER, formatLedger, parseLedger, recordArtifacts, type NevraLedger } from '@kiln/rpm-repository';
import { formatNevra } from '@kiln/rpm-package';
import type { BuiltProvider } from './built-providers.ts';
import type { Distribution } from './distribution.ts';

/** Workspace-relative path. */
function ledgerFile({ config }: Distribution): string {
  return join('toolkit', 'published', `${config.architecture}.json`);
}

/** @throws BuildError `NEVRA_REUSED` when a package was published with other content, `LEDGER_MALFORMED`. */
export async function refuseReused(distribution: Distribution, rpms: readonly BuiltProvider[]): Promise<void> {
  const { reused } = recordArtifacts(await readLedger(distribution), entriesOf(rpms));
  if (reused.length === 0) return;
  const again = new Set(reused.map(({ nevra }) => nevra));
  const origins = new Set(rpms.filter((rpm) => again.has(formatNevra(rpm))).map(({ origin }) => origin));
  throw new BuildError('NEVRA_REUSED', `${reused.length} packages were published before with other content`, {
    location: { file: ledgerFile(distribution), line: 1 },
    diagnostics: reused.map(({ nevra, known, artifactDigest }) => ({
      severity: 'error',
      code: 'NEVRA_REUSED',
      message: `${nevra} was ${known.slice(0, 12)}… and is now ${artifactDigest.slice(0, 12)}…`,
    })),
    hint: `raise the Release: kiln bump ${[...origins].sort().join(' ')} -m <why>`,
  });
}

/** Adds what is not in it yet; the file is untouched when nothing is. */
export async function recordPublished(distribution: Distribution, rpms: readonly BuiltProvider[]): Promise<void> {
  const before = await readLedger(distribution);
  const { ledger } = recordArtifacts(before, entriesOf(rpms));
  if (formatLedger(ledger) === formatLedger(before)) return;
  const path = join(distribution.root, ledgerFile(distribution));
  await writeFileAtomic(path, formatLedger(ledger));
}

async function readLedger(distribution: Distribution): Promise<NevraLedger> {
  const file = ledgerFile(distribution);
  const text = await readFile(join(distribution.root, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? EMPTY_LEDGER : parseLedger(text, file);
}

function entriesOf(rpms: readonly BuiltProvider[]) {
  return rpms.map((rpm) => ({ nevra: formatNevra(rpm), artifactDigest: rpm.artifact }));
}
