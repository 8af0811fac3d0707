/** How large a store may become: `KILN_STORE_LIMIT`, else `sizeLimit` in the store's own `config.json`, else without limit. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  ki: 1024,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/**
 * Bytes of a size: `20G` is 20 × 10^9, `20Gi` 20 × 2^30; k, M, G and T go.
 * @throws BuildError `SIZE_MALFORMED`
 */
export function parseSize(text: string, from: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kKMGT]i?|)B?$/.exec(text.trim()) ?? [];
  const factor = unit === undefined ? undefined : FACTORS[unit];
  if (number === undefined || factor === undefined) {
    throw new BuildError('SIZE_MALFORMED', `${from} is '${text}', which is no size`, {
      hint: 'write a number with a unit, for example 20G (20,000,000,000 bytes) or 20Gi (2^30 each)',
    });
  }
  return Math.floor(Number(number) * factor);
}

/**
 * The limit of a store in bytes; undefined without one.
 * @throws BuildError `SIZE_MALFORMED`, `STORE_CONFIG_INVALID`
 */
export async function storeLimit(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): Promise<number | undefined> {
  const stated = environment['KILN_STORE_LIMIT'];
  if (stated !== undefined && stated !== '') return parseSize(stated, 'KILN_STORE_LIMIT');
  const file = join(directory, 'config.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { sizeLimit, ...others } = parseConfig(text, file);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(file, `it has the unknown member '${unknown}'`);
  if (sizeLimit === undefined) return undefined;
  if (typeof sizeLimit !== 'string') throw invalid(file, "'sizeLimit' must be a text");
  return parseSize(sizeLimit, `'sizeLimit' in ${file}`);
}

function parseConfig(text: string, file: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw invalid(file, (error as Error).message);
  }
}

function invalid(file: string, message: string): BuildError {
  return new BuildError('STORE_CONFIG_INVALID', `${file}: ${message}`, {
    hint: 'it is { "sizeLimit": "20G" }, and nothing else',
  });
}
