/** `<name>.signatures.json`: the SHA-256 of every source file of a spec (the format of Azure Linux 3). */
import { readFileSync } from 'node:fs';
import { parseSha256, type Sha256 } from '@kiln/build-identity';
import { BuildError, SourceText, type SourceLocation } from '@kiln/diagnostics';

/** Digests by file name. */
export type Signatures = ReadonlyMap<string, Sha256>;

/**
 * Reads the signatures at `path`; without such a file there are none. `file` is how it is called in messages.
 * @throws BuildError `SIGNATURES_MALFORMED` with the place in the file.
 */
export function readSignatures(path: string, file: string): Signatures {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  return parseSignatures(new SourceText(file, text));
}

/** @throws BuildError `SIGNATURES_MALFORMED` with the place in the file. */
export function parseSignatures(source: SourceText): Signatures {
  const { Signatures: entries, ...others } = parseObject(source);
  const [other] = Object.keys(others);
  if (other !== undefined) throw malformed(source, `the member '${other}' is unknown`, `"${other}"`);
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) {
    throw malformed(source, "there is no object 'Signatures'");
  }
  const signatures = new Map<string, Sha256>();
  for (const [fileName, digest] of Object.entries(entries as Record<string, unknown>)) {
    if (!isPlainFileName(fileName))
      throw malformed(source, `'${fileName}' is no plain file name`, JSON.stringify(fileName));
    try {
      signatures.set(fileName, parseSha256(String(digest)));
    } catch (error) {
      throw malformed(source, `'${fileName}': ${(error as Error).message}`, JSON.stringify(fileName));
    }
  }
  return signatures;
}

/** The text of a signatures file, in the order of the names. */
export function formatSignatures(signatures: Signatures): string {
  const sorted = [...signatures].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify({ Signatures: Object.fromEntries(sorted) }, undefined, 1)}\n`;
}

/** Whether a name stays in its directory and is no hidden file. */
export function isPlainFileName(name: string): boolean {
  return /^[^./\0][^/\0]*$/.test(name);
}

function parseObject(source: SourceText): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(source.text);
  } catch (error) {
    const { message } = error as Error;
    const position = /at position (\d+)/.exec(message)?.[1];
    const at = position === undefined ? undefined : source.locationAt(Number(position));
    throw malformed(source, message, undefined, at);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(source, 'it is no JSON object');
  return value as Record<string, unknown>;
}

function malformed(source: SourceText, what: string, near?: string, at?: SourceLocation): BuildError {
  const offset = near === undefined ? -1 : source.text.indexOf(near);
  const location = at ?? (offset < 0 ? { file: source.file, line: 1 } : source.locationAt(offset));
  return new BuildError('SIGNATURES_MALFORMED', `${source.file} is malformed: ${what}`, {
    location,
    hint: 'it has the form {"Signatures": {"<file name>": "<SHA-256>"}}',
  });
}
