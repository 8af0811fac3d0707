/** The file of an action result: JSON whose first member is the digest of all the rest, so that a damaged file is a miss. */
import { canonicalJson, sha256, type Sha256 } from '@kiln/build-identity';

/** A blob in the store. `size` is in bytes. */
export interface Blob {
  readonly sha256: Sha256;
  readonly size: number;
}

/** What an action made. `outputs` maps names (for RPMs: file names) to blobs; `facts` is the stage's own JSON. */
export interface ActionResult {
  readonly key: Sha256;
  readonly outputs: Readonly<Record<string, Blob>>;
  readonly facts: unknown;
}

const CHECKED = /^\{"checksum":"([0-9a-f]{64})",/;
/** How files began before they had a checksum: members are sorted. */
const UNCHECKED = '{"facts":';

export function formatAction(result: ActionResult): string {
  const text = canonicalJson(result);
  return `{"checksum":"${sha256(text)}",${text.slice(1)}`;
}

/** Undefined for a file that is not as it was written. */
export function parseAction(text: string): ActionResult | undefined {
  const checked = CHECKED.exec(text);
  const content = checked === null ? text : `{${text.slice(checked[0].length)}`;
  if (checked === null ? !text.startsWith(UNCHECKED) : sha256(content) !== checked[1]) return undefined;
  try {
    const value = JSON.parse(content) as ActionResult;
    return typeof value.key === 'string' && typeof value.outputs === 'object' ? value : undefined;
  } catch {
    return undefined;
  }
}
