/** The list of results that are carried from one store to others: `results.json`, beside the directory `blobs/` with their files by digest. */
import { Ajv, type JSONSchemaType } from 'ajv';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { Blob } from '@kiln/store';

/** What an action made, in another store. */
export interface CarriedResult {
  readonly action: string;
  /** For people: the step, or the round and the package. */
  readonly subject: string;
  /** The identity: who has the same action key takes it. */
  readonly key: Sha256;
  readonly outputs: Readonly<Record<string, Blob>>;
  /** The stage's own JSON. */
  readonly facts: unknown;
  readonly layer?: CarriedLayer;
}

/** A layer that belongs to a result; size and digest are those of its archive. */
export interface CarriedLayer extends Blob {
  /** In the store. */
  readonly key: string;
  /** Digest of names, types, modes and contents when it is unpacked. */
  readonly content: Sha256;
}

export interface ResultsList {
  readonly version: 1;
  readonly results: readonly CarriedResult[];
}

/** Name of the list; `.asc` after it is that of its signature. */
export const RESULTS_FILE = 'results.json';

/** Where a file of a result is, below the place of the list. */
export function carriedPath({ sha256 }: Pick<Blob, 'sha256'>): string {
  return `blobs/${sha256}`;
}

const text = { type: 'string', minLength: 1 } as const;
const digest = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
const size = { type: 'integer', minimum: 0 } as const;
/** Becomes the name of a file. */
const FILE_NAME = '^(?!\\.\\.?$)[^/\\x00]+$';

type Unbranded<T> = T extends string ? string : T extends object ? { [M in keyof T]: Unbranded<T[M]> } : T;
interface WrittenResult extends Unbranded<Omit<CarriedResult, 'facts'>> {
  facts: Record<string, unknown>;
}
interface WrittenList {
  version: number;
  results: WrittenResult[];
}

const schema: JSONSchemaType<WrittenList> = {
  type: 'object',
  additionalProperties: false,
  required: ['version', 'results'],
  properties: {
    version: { type: 'integer', const: 1 },
    results: {
      type: 'array',
      items: {
        type: 'object',
        required: ['action', 'subject', 'key', 'outputs', 'facts'],
        properties: {
          action: text,
          subject: text,
          key: digest,
          facts: { type: 'object', required: [] },
          outputs: {
            type: 'object',
            required: [],
            propertyNames: { pattern: FILE_NAME },
            additionalProperties: {
              type: 'object',
              additionalProperties: false,
              required: ['sha256', 'size'],
              properties: { sha256: digest, size },
            },
          },
          layer: {
            type: 'object',
            additionalProperties: false,
            nullable: true,
            required: ['key', 'content', 'sha256', 'size'],
            properties: {
              key: { type: 'string', pattern: '^[a-z][a-z0-9-]*$' },
              content: digest,
              sha256: digest,
              size,
            },
          },
        },
      },
    },
  },
};

/** @throws BuildError `RESULTS_INVALID`; `place` names the list for people. */
export function parseResultsList(content: string, place: string): ResultsList {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw invalid(place, (cause as Error).message, cause);
  }
  const validate = new Ajv().compile(schema);
  if (validate(value)) return value as unknown as ResultsList;
  const { instancePath, message } = validate.errors![0]!;
  throw invalid(place, `${instancePath === '' ? 'the top level' : instancePath} ${message}`);
}

/** A line for each result, so that two lists can be compared. */
export function formatResultsList({ version, results }: ResultsList): string {
  const lines = results.map((one) => `\n  ${JSON.stringify(one)}`);
  return `{ "version": ${version}, "results": [${lines.join(',')}\n] }\n`;
}

function invalid(place: string, message: string, cause?: unknown): BuildError {
  return new BuildError('RESULTS_INVALID', `${place} is no list of results: ${message}`, {
    hint: 'write it again with `kiln bootstrap --export <directory>`',
    cause,
  });
}
