/** What the hasher remembers of a task between runs, beside Nx's own cache. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface TaskRecord {
  readonly key: string;
  readonly nonce: string;
}

/** A key and a nonce make the hash. The nonce changes whenever the store can't answer the key, so that Nx's cache can't either. */
export function hashOf({ key, nonce }: TaskRecord): string {
  return nonce === '' ? key : `${key}.${nonce}`;
}

/** The hash under which the task ran last, as long as its key is the same. */
export function rememberedHash(root: string, name: string, key: string): string {
  const record = readRecord(fileOf(root, name));
  return hashOf(record?.key === key ? record : { key, nonce: '' });
}

/** A hash that Nx has never seen, remembered for the next run. */
export function freshHash(root: string, name: string, key: string): string {
  const record: TaskRecord = { key, nonce: randomBytes(8).toString('hex') };
  const file = fileOf(root, name);
  const temporary = `${file}.${process.pid}.tmp`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(temporary, JSON.stringify(record));
  renameSync(temporary, file);
  return hashOf(record);
}

function fileOf(root: string, name: string): string {
  return join(root, '.nx', 'kiln', `${name.replaceAll(':', '/')}.json`);
}

function readRecord(file: string): TaskRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as TaskRecord;
  } catch {
    return undefined;
  }
}
