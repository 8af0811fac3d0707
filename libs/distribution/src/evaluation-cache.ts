/**
 * Evaluations of a tree in one file, each valid as long as its spec and everything that it read are the same.
 *
 * The file is one or more segments, later ones correct earlier ones. A segment is three parts: a line with the format's name, its length
 * and the CRC-32 of all that follows, against damage; a line of JSON that lists the evaluations; their source packages, each as JSON that
 * is parsed when somebody wants it. A few new evaluations are appended as a segment, many replace the file.
 */
import { appendFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Sha256 } from '@kiln/build-identity';
import type { Diagnostic } from '@kiln/diagnostics';
import { writeFileAtomic } from '@kiln/host';
import type { EvaluationInputs, Read } from './evaluation-inputs.ts';
import type { SpecOnDisk } from './spec-on-disk.ts';

const FORMAT = 'kiln-evaluations-5';
/** `format length crc`, the numbers as hexadecimal digits, and a newline. */
const HEAD_LENGTH = `${FORMAT} 00000000 00000000\n`.length;
/** More segments than these are worth one new file. */
const MOST_SEGMENTS = 64;
/** The part of the evaluations that is appended at most, or kept with another stamp than the spec's. */
const FEW = 0.02;

/** What is kept of an evaluation. */
interface KeptEvaluation {
  readonly specFile: string;
  readonly specDigest: Sha256;
  /** Of the file that had this digest; empty when it can't be told apart from its next state by that. */
  readonly specStamp: string;
  /** Names of the spec's sources and patches. */
  readonly sourceFiles: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  /** JSON; empty when the spec is unusable. */
  readonly sourcePackage: Uint8Array;
}

/** An evaluation that the cache doesn't have yet. */
export interface NewEvaluation extends KeptEvaluation {
  readonly reads: readonly Read[];
}

/** One that it has. */
export interface CachedEvaluation extends KeptEvaluation {
  readonly segment: Segment;
  /** Places of what was read in the segment's list. */
  readonly places: readonly number[];
}

interface SegmentIndex {
  /** Everything that all evaluations depend on. */
  readonly key: string;
  /** What was read, with its digest. */
  readonly reads: readonly (readonly [Read, string])[];
  readonly evaluations: readonly IndexedEvaluation[];
}

interface IndexedEvaluation extends Omit<CachedEvaluation, 'sourcePackage' | 'segment'> {
  readonly start: number;
  readonly end: number;
}

class Segment {
  readonly index: SegmentIndex;
  readonly #packages: Uint8Array;
  readonly #inputs: EvaluationInputs;
  /** Places of reads that find something else now: of few or none, while the evaluations have a million places. */
  #changed: ReadonlySet<number> | undefined;

  constructor(index: SegmentIndex, packages: Uint8Array, inputs: EvaluationInputs) {
    this.index = index;
    this.#packages = packages;
    this.#inputs = inputs;
  }

  /** The evaluation, when nothing that it read has changed. */
  current({ start, end, ...rest }: IndexedEvaluation): CachedEvaluation | undefined {
    const changed = (this.#changed ??= this.#findChanged());
    if (changed.size > 0 && rest.places.some((place) => changed.has(place))) return undefined;
    return { ...rest, segment: this, sourcePackage: this.#packages.subarray(start, end) };
  }

  /** Where these reads are in the segment's list. */
  placesOf(reads: ReadonlySet<Read>): ReadonlySet<number> {
    return new Set([...this.index.reads.entries()].flatMap(([place, [read]]) => (reads.has(read) ? [place] : [])));
  }

  #findChanged(): Set<number> {
    const changed = new Set<number>();
    for (const [place, [read, digest]] of this.index.reads.entries())
      if (this.#inputs.digest(read) !== digest) changed.add(place);
    return changed;
  }
}

/** What was kept of the last evaluations of a tree. */
export class EvaluationCache {
  readonly segments: readonly Segment[];
  /** Whether nothing of the file was passed over, so that more can be appended. */
  readonly isWhole: boolean;
  readonly #evaluations = new Map<string, { readonly segment: Segment; readonly indexed: IndexedEvaluation }>();

  constructor(segments: readonly Segment[] = [], isWhole = false) {
    this.segments = segments;
    this.isWhole = isWhole;
    for (const segment of segments)
      for (const indexed of segment.index.evaluations) this.#evaluations.set(indexed.specFile, { segment, indexed });
  }

  /** Specs that it knows. */
  get size(): number {
    return this.#evaluations.size;
  }

  /** Tells of evaluations of this cache whether one of these things had a part in them. */
  readersOf(reads: ReadonlySet<Read>): (one: CachedEvaluation) => boolean {
    const wanted = new Map(this.segments.map((segment) => [segment, segment.placesOf(reads)]));
    return ({ segment, places }) => places.some((place) => wanted.get(segment)!.has(place));
  }

  /** The evaluation of a spec, when nothing that it depends on has changed. A spec with the same stamp is not read. */
  find(spec: SpecOnDisk): CachedEvaluation | undefined {
    const known = this.#evaluations.get(spec.file);
    return known !== undefined && spec.is(known.indexed) ? known.segment.current(known.indexed) : undefined;
  }
}

/** Reads the file, up to the first segment that is damaged, of another format or with another key. */
export function openEvaluationCache(file: string, key: string, inputs: EvaluationInputs): EvaluationCache {
  const segments: Segment[] = [];
  let isWhole = false;
  try {
    let rest: Buffer = readFileSync(file);
    while (rest.length > 0) {
      const [format, length] = rest.toString('latin1', 0, HEAD_LENGTH).trimEnd().split(' ');
      const end = HEAD_LENGTH + Number.parseInt(length ?? '', 16);
      const body = rest.subarray(HEAD_LENGTH, end);
      if (format !== FORMAT || rest.toString('latin1', 0, HEAD_LENGTH) !== headOf(body)) break;
      const indexEnd = body.indexOf('\n');
      const index = JSON.parse(body.toString('utf8', 0, indexEnd)) as SegmentIndex;
      if (index.key !== key) break;
      segments.push(new Segment(index, body.subarray(indexEnd + 1), inputs));
      rest = rest.subarray(end);
      isWhole = rest.length === 0;
    }
  } catch {
    // What was read so far is good.
  }
  return new EvaluationCache(segments, isWhole);
}

/**
 * Brings the file up to date with all evaluations of a tree; a directory that can't be written to is no error, as a cache is never
 * needed.
 */
export async function writeEvaluationCache(
  file: string,
  content: {
    readonly key: string;
    readonly inputs: EvaluationInputs;
    /** The one that cached evaluations are from. */
    readonly cache: EvaluationCache;
    readonly evaluations: readonly (NewEvaluation | CachedEvaluation)[];
    /** How many of them have a stamp that the cache doesn't know yet. */
    readonly restamped: number;
  },
): Promise<void> {
  const { cache, evaluations, restamped } = content;
  const added = evaluations.filter((one): one is NewEvaluation => 'reads' in one);
  const few = evaluations.length * FEW;
  const isSame = evaluations.length === cache.size && added.length === 0;
  if (isSame && restamped <= few) return;
  const nothingGone = evaluations.length >= cache.size;
  const appends =
    added.length > 0 &&
    added.length <= Math.max(1, few) &&
    nothingGone &&
    cache.isWhole &&
    cache.segments.length < MOST_SEGMENTS;
  try {
    if (appends) await appendFile(file, segmentOf({ ...content, evaluations: added }));
    else await writeFileAtomic(file, segmentOf(content));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

function segmentOf({
  key,
  inputs,
  evaluations,
}: Pick<Parameters<typeof writeEvaluationCache>[1], 'key' | 'inputs' | 'evaluations'>): Buffer {
  const list = new ReadList();
  let end = 0;
  const indexed = evaluations.map((one): IndexedEvaluation => {
    const { specFile, specDigest, specStamp, sourceFiles, diagnostics, sourcePackage } = one;
    const places = 'places' in one ? one.places.map(list.placesOf(one.segment)) : one.reads.map(list.place);
    const start = end;
    end += sourcePackage.length;
    return { specFile, specDigest, specStamp, sourceFiles, diagnostics, places, start, end };
  });
  const reads = list.reads.map((read) => [read, inputs.digest(read)] as const);
  const index: SegmentIndex = { key, reads, evaluations: indexed };
  const json = Buffer.from(`${JSON.stringify(index)}\n`);
  const bytes = Buffer.concat([
    Buffer.alloc(HEAD_LENGTH),
    json,
    ...evaluations.map(({ sourcePackage }) => sourcePackage),
  ]);
  bytes.write(headOf(bytes.subarray(HEAD_LENGTH)), 'latin1');
  return bytes;
}

function headOf(body: Uint8Array): string {
  const [length, crc] = [body.length, crc32(body)].map((value) => value.toString(16).padStart(8, '0'));
  return `${FORMAT} ${length} ${crc}\n`;
}

/** The list of reads of a new segment. */
class ReadList {
  readonly reads: Read[] = [];
  readonly #places = new Map<Read, number>();
  /** Places here by places in another segment; -1 for those that nobody has used yet. */
  readonly #moved = new Map<Segment, Int32Array>();

  readonly place = (read: Read): number => {
    let place = this.#places.get(read);
    if (place === undefined) {
      place = this.reads.push(read) - 1;
      this.#places.set(read, place);
    }
    return place;
  };

  /** From places in another segment to places here. */
  placesOf(segment: Segment): (old: number) => number {
    const { reads } = segment.index;
    let moved = this.#moved.get(segment);
    if (moved === undefined) this.#moved.set(segment, (moved = new Int32Array(reads.length).fill(-1)));
    return (old) => {
      if (moved[old] === -1) moved[old] = this.place(reads[old]![0]);
      return moved[old]!;
    };
  }
}
