import { sha256 } from '@kiln/build-identity';
import { describe, expect, it } from 'vitest';
import { EMPTY_LEDGER, formatLedger, parseLedger, recordArtifacts } from '../src/index.ts';

const a = { nevra: 'a-1-1.noarch', artifactDigest: sha256('a') };
const b = { nevra: 'b-1-1.noarch', artifactDigest: sha256('b') };

describe('the ledger', () => {
  it('is the same text whatever the order in which packages came', () => {
    const first = recordArtifacts(recordArtifacts(EMPTY_LEDGER, [a]).ledger, [b]).ledger;
    const second = recordArtifacts(EMPTY_LEDGER, [b, a]).ledger;
    expect(formatLedger(first)).toBe(formatLedger(second));
    expect(parseLedger(formatLedger(first), 'ledger.json')).toEqual(first);
    expect(parseLedger(formatLedger(EMPTY_LEDGER), 'ledger.json')).toEqual(EMPTY_LEDGER);
  });

  it('remembers packages that left the repository, and reports other content under their NEVRA', () => {
    const { ledger } = recordArtifacts(recordArtifacts(EMPTY_LEDGER, [a]).ledger, [b]);
    const other = { ...a, artifactDigest: sha256('other') };
    expect(recordArtifacts(ledger, [a, b]).reused).toEqual([]);
    expect(recordArtifacts(ledger, [other]).reused).toEqual([{ ...other, known: a.artifactDigest }]);
  });

  it.each(['', '[]', '{"version":2,"artifacts":{}}', '{"version":1}', '{"version":1,"artifacts":{"a":"b"}}'])(
    'refuses %j',
    (text) => {
      expect(() => parseLedger(text, 'ledger.json')).toThrow(/ledger\.json is not a ledger/);
    },
  );
});
