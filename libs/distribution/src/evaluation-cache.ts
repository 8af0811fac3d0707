/**
 * Evaluations of a tree in one file, each valid as long as its spec and everything that it read are the same.
 *
 * The file is three parts: a line with the format's name and the CRC-32 of all that follows, against damage; a line of JSON that lists the
 * evaluations; their source packages, each as JSON that is parsed when somebody wants it.
 */
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Diagnostic } from '@kiln/diagnostics';
import { writeFileAtomic } from '@kiln/host';
import type { EvaluationInputs, Read } from './evaluation-inputs.ts';

const FORMAT = 'kiln-evaluations-2';
const HEAD_LENGTH = `${FORMAT} `.length + 8 + '\n'.length;

/** An evaluation as it is kept. */
export interface StoredEvaluation {
  readonly specFile: string;
  readonly specDigest: string;
  readonly reads: readonly Read[];
  /** Names of the spec's sources and patches. */
  readonly sourceFiles: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  /** JSON; empty when the spec is unusable. */
  readonly sourcePackage: Uint8Array;
}

interface CacheIndex {
  /** Everything that all evaluations depend on. */
  readonly key: string;
  /** What was read, with its digest. */
  readonly reads: readonly (readonly [Read, string])[];
  readonly evaluations: readonly IndexedEvaluation[];
}

interface IndexedEvaluation extends Omit<StoredEvaluation, 'reads' | 'sourcePackage'> {
  /** Places in the list of reads. */
  readonly reads: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** What was kept of the last evaluation of a tree. */
export class EvaluationCache {
  readonly #inputs: EvaluationInputs;
  readonly #reads: CacheIndex['reads'];
  readonly #evaluations: ReadonlyMap<string, IndexedEvaluation>;
  readonly #packages: Uint8Array;
  /** Whether a read finds what it found then; undefined while nobody has asked. */
  readonly #same: (boolean | undefined)[] = [];

  constructor(inputs: EvaluationInputs, content?: { readonly index: CacheIndex; readonly packages: Uint8Array }) {
    this.#inputs = inputs;
    this.#reads = content?.index.reads ?? [];
    this.#evaluations = new Map(content?.index.evaluations.map((one) => [one.specFile, one]));
    this.#packages = content?.packages ?? new Uint8Array();
  }

  get size(): number {
    return this.#evaluations.size;
  }

  /** The evaluation of a spec, when nothing that it depends on has changed. */
  find(specFile: string, specDigest: string): StoredEvaluation | undefined {
    const found = this.#evaluations.get(specFile);
    if (found === undefined || found.specDigest !== specDigest) return undefined;
    if (!found.reads.every((at) => this.#isSame(at))) return undefined;
    const { reads, start, end, ...rest } = found;
    return {
      ...rest,
      reads: reads.map((at) => this.#reads[at]![0]),
      sourcePackage: this.#packages.subarray(start, end),
    };
  }

  #isSame(at: number): boolean {
    const [read, digest] = this.#reads[at]!;
    return (this.#same[at] ??= this.#inputs.digest(read) === digest);
  }
}

/** Reads the file. One that is missing, damaged, of another format or with another key counts as empty. */
export function openEvaluationCache(file: string, key: string, inputs: EvaluationInputs): EvaluationCache {
  try {
    const bytes = readFileSync(file);
    const body = bytes.subarray(HEAD_LENGTH);
    if (bytes.toString('latin1', 0, HEAD_LENGTH) !== headOf(body)) return new EvaluationCache(inputs);
    const indexEnd = body.indexOf('\n');
    const index = JSON.parse(body.toString('utf8', 0, indexEnd)) as CacheIndex;
    if (index.key !== key) return new EvaluationCache(inputs);
    return new EvaluationCache(inputs, { index, packages: body.subarray(indexEnd + 1) });
  } catch {
    return new EvaluationCache(inputs);
  }
}

/** Replaces the file; a directory that can't be written to is no error, as a cache is never needed. */
export async function writeEvaluationCache(
  file: string,
  content: {
    readonly key: string;
    readonly inputs: EvaluationInputs;
    readonly evaluations: readonly StoredEvaluation[];
  },
): Promise<void> {
  const places = new Map<Read, number>();
  let end = 0;
  const evaluations = content.evaluations.map(({ reads, sourcePackage, ...rest }): IndexedEvaluation => {
    const start = end;
    end += sourcePackage.length;
    return { ...rest, reads: reads.map((read) => placeOf(read, places)), start, end };
  });
  const reads = [...places.keys()].map((read) => [read, content.inputs.digest(read)] as const);
  const index: CacheIndex = { key: content.key, reads, evaluations };
  const head = Buffer.alloc(HEAD_LENGTH);
  const list = Buffer.from(`${JSON.stringify(index)}\n`);
  const bytes = Buffer.concat([head, list, ...content.evaluations.map(({ sourcePackage }) => sourcePackage)]);
  bytes.write(headOf(bytes.subarray(HEAD_LENGTH)), 'latin1');
  try {
    await writeFileAtomic(file, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

function headOf(body: Uint8Array): string {
  return `${FORMAT} ${crc32(body).toString(16).padStart(8, '0')}\n`;
}

function placeOf(read: Read, places: Map<Read, number>): number {
  let place = places.get(read);
  if (place === undefined) places.set(read, (place = places.size));
  return place;
}
