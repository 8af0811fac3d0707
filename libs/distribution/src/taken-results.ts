/** Results that are taken from where another store has left them: by the list there, and only as the list says. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { withVerifier } from '@kiln/rpm-repository';
import { download, FetchProgress, withoutCredentials } from '@kiln/sources';
import { treeDigest, unpackLayer, type ActionResult, type Blob, type EarlierResults, type Store } from '@kiln/store';
import { carriedPath, parseResultsList, RESULTS_FILE, type CarriedResult } from './results-list.ts';

/** Where results come from, and who must have signed their list. */
export interface ResultsPlace {
  /** An address (`http`, `https`, `file`), or a directory relative to the workspace. */
  readonly from: string;
  readonly signedBy?: {
    /** Fingerprint. */
    readonly key: string;
    /** Absolute path of the armored public key. */
    readonly publicKeyFile: string;
  };
  /** After how long a silent server is given up; see `download`. */
  readonly stallSeconds?: number;
}

interface TakenList {
  readonly byKey: ReadonlyMap<string, CarriedResult>;
  readonly byLayer: ReadonlyMap<string, CarriedResult>;
}

const HINT = 'find out who changed it; without these results all is built here';

/** Reads the list when it is asked the first time, and its signature before anything of it is believed. */
export class TakenResults implements EarlierResults {
  readonly #host: Host;
  readonly #place: ResultsPlace;
  /** Ends with a slash. */
  readonly #address: string;
  #list: Promise<TakenList> | undefined;

  constructor(host: Host, root: string, place: ResultsPlace) {
    this.#host = host;
    this.#place = place;
    const { from } = place;
    const address = from.includes('://') ? from : pathToFileURL(resolve(root, from)).href;
    this.#address = address.endsWith('/') ? address : `${address}/`;
  }

  /** Whether the list has a layer. @throws BuildError `RESULTS_UNREACHABLE`, `RESULTS_INVALID`, `SIGNATURE_*` */
  async hasLayer(store: Store, key: string): Promise<boolean> {
    return (await this.#listed(store)).byLayer.has(key);
  }

  /** What `action` would give, without any file of it. @throws BuildError as `hasLayer` */
  async foresee(store: Store, key: Sha256): Promise<ActionResult | undefined> {
    const one = (await this.#listed(store)).byKey.get(key);
    return one === undefined ? undefined : { key, outputs: one.outputs, facts: one.facts };
  }

  /** @throws BuildError as `hasLayer`; `RESULT_MISSING`, `RESULT_CHANGED`, `RESULT_UNUSABLE`. */
  async action(store: Store, key: Sha256): Promise<ActionResult | undefined> {
    const one = (await this.#listed(store)).byKey.get(key);
    if (one === undefined) return undefined;
    const { outputs, facts, layer } = one;
    for (const blob of Object.values(outputs)) await this.#fetch(store, one, blob);
    // It is there when everything is.
    if (layer !== undefined) await store.layer(layer.key, () => Promise.resolve(), { checked: true });
    return { key, outputs, facts };
  }

  /** @throws BuildError as `action` */
  async layer(store: Store, key: string, directory: string): Promise<boolean> {
    const one = (await this.#listed(store)).byLayer.get(key);
    if (one?.layer === undefined) return false;
    const fail = (said: string) =>
      new BuildError('RESULT_UNUSABLE', `the archive of ${nameOf(one)} can't be used: ${said}`, { hint: HINT });
    await this.#fetch(store, one, one.layer);
    await unpackLayer(this.#host, store.blobPath(one.layer.sha256), { directory, fail });
    if (treeDigest(directory) !== one.layer.content) throw fail("its files aren't those that the list names");
    return true;
  }

  #listed(store: Store): Promise<TakenList> {
    this.#list ??= this.#readList(store);
    return this.#list;
  }

  async #readList(store: Store): Promise<TakenList> {
    const content = await this.#read(store, RESULTS_FILE);
    const shown = this.#shown(RESULTS_FILE);
    const { signedBy } = this.#place;
    if (signedBy !== undefined) await this.#checkSignature(store, content, signedBy);
    const { results } = parseResultsList(content.toString('utf8'), shown);
    return {
      byKey: new Map(results.map((one) => [one.key, one])),
      byLayer: new Map(results.flatMap((one) => (one.layer === undefined ? [] : [[one.layer.key, one]]))),
    };
  }

  async #read(store: Store, name: string): Promise<Buffer> {
    const outcome = await this.#download(store, { fileName: name, path: name });
    if ('blob' in outcome) return readFile(store.blobPath(outcome.blob.sha256));
    throw new BuildError('RESULTS_UNREACHABLE', `earlier results can't be read: ${outcome.reason}`, {
      hint: 'check the address and the network; without these results all is built here',
    });
  }

  async #checkSignature(
    store: Store,
    content: Buffer,
    { key, publicKeyFile }: Required<ResultsPlace>['signedBy'],
  ): Promise<void> {
    const outcome = await this.#download(store, { fileName: `${RESULTS_FILE}.asc`, path: `${RESULTS_FILE}.asc` });
    const what = this.#shown(RESULTS_FILE);
    if (!('blob' in outcome)) {
      throw new BuildError('SIGNATURE_MISSING', `${what} must be signed by ${key}: ${outcome.reason}`, {
        hint: 'sign it with `kiln bootstrap --export <directory> --sign`',
      });
    }
    const scratch = await mkdtemp(join(tmpdir(), 'kiln-results-'));
    try {
      const file = join(scratch, RESULTS_FILE);
      await writeFile(file, content);
      await withVerifier(this.#host, [{ fingerprint: key, publicKeyFile }], (verifier) =>
        verifier.checkFile(file, store.blobPath(outcome.blob.sha256), { fingerprint: key, what }),
      );
    } finally {
      await rm(scratch, { recursive: true });
    }
  }

  async #fetch(store: Store, one: CarriedResult, blob: Blob): Promise<void> {
    if (await store.hasBlob(blob)) return store.requireIntact(blob, nameOf(one));
    const { sha256, size } = blob;
    const path = carriedPath(blob);
    const { action, subject } = one;
    const tell = new FetchProgress(this.#host, { action, subject }).file('earlier result', size);
    const outcome = await this.#download(store, { fileName: path, path, sha256, sizeLimit: size, tell });
    if ('blob' in outcome) {
      if (outcome.blob.size === size) return;
      throw changed(one, `it has ${outcome.blob.size} bytes, the list says ${size}`);
    }
    if (outcome.isOther) throw changed(one, outcome.reason);
    throw new BuildError('RESULT_MISSING', `a file of ${nameOf(one)} can't be had: ${outcome.reason}`, {
      hint: 'write the results again with `kiln bootstrap --export`; without them all is built here',
    });
  }

  #download(
    store: Store,
    { path, ...wanted }: { readonly path: string } & Omit<Parameters<typeof download>[2], 'url' | 'stallSeconds'>,
  ) {
    const { stallSeconds } = this.#place;
    return download(this.#host, store, { url: `${this.#address}${path}`, ...wanted, stallSeconds });
  }

  #shown(name: string): string {
    return `${withoutCredentials(this.#address)}${name}`;
  }
}

function nameOf({ action, subject }: CarriedResult): string {
  return `${action} ${subject}`;
}

function changed(one: CarriedResult, reason: string): BuildError {
  return new BuildError('RESULT_CHANGED', `a file of ${nameOf(one)} is another one than the list says: ${reason}`, {
    hint: HINT,
  });
}
