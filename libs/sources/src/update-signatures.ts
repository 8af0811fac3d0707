/** New digests for a signatures file: what the places give now, taken without a digest to compare with. Only ever on explicit request. */
import type { Sha256 } from '@kiln/build-identity';
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import { readDebianLock } from './debian-lock.ts';
import { download } from './download.ts';
import { FetchProgress, type FetchingTask } from './fetch-progress.ts';
import { fetchSources } from './fetch-sources.ts';
import { writeProvenance } from './provenance.ts';
import type { Signatures } from './signatures.ts';
import { mirrorUrl, placeLabel, withoutCredentials, type SourcePlace } from './source-place.ts';
import { tokenFor } from './source-token.ts';

/** A source file as the spec names it. */
export interface UnpinnedSource {
  readonly fileName: string;
  readonly url: string;
  readonly location?: SourceLocation;
}

export interface SignatureChange {
  readonly fileName: string;
  readonly before?: Sha256;
  readonly after?: Sha256;
  /** Label of the place that gave the new content. */
  readonly place?: string;
}

export interface SignatureUpdate {
  readonly signatures: Signatures;
  /** In the order of the file names; empty when all is as before. */
  readonly changes: readonly SignatureChange[];
}

/**
 * Asks the places for every file and returns the signatures that pin what they gave. Files that the spec doesn't name any more drop out.
 * @throws BuildError `SOURCE_MISSING` when no place has a file; nothing is changed then.
 */
export async function updateSignatures(
  host: Host,
  store: Store,
  options: {
    readonly sources: readonly UnpinnedSource[];
    readonly places: readonly SourcePlace[];
    readonly before: Signatures;
    /** Files that no place is asked for: those beside the spec. */
    readonly local: Signatures;
    /** Whose progress it is; a task `sources` of its own when omitted. */
    readonly task?: FetchingTask;
  },
): Promise<SignatureUpdate> {
  const { sources, places, before, local, task = { action: 'sources', subject: 'sources' } } = options;
  const progress = new FetchProgress(host, task);
  const found = new Map<string, Current>([...local].map(([fileName, sha256]) => [fileName, { sha256, place: 'tree' }]));
  for (const source of sources)
    found.set(source.fileName, await fetchCurrent(host, store, { source, places, progress }));
  const names = [...new Set([...before.keys(), ...found.keys()])].sort();
  const changes = names.map((fileName): SignatureChange => {
    const [old, now] = [before.get(fileName), found.get(fileName)];
    return {
      fileName,
      ...(old === undefined ? {} : { before: old }),
      ...(now === undefined ? {} : { after: now.sha256, place: now.place }),
    };
  });
  return {
    signatures: new Map([...found].map(([fileName, { sha256 }]) => [fileName, sha256])),
    changes: changes.filter((change) => change.before !== change.after),
  };
}

/** What a place gives now. */
interface Current {
  readonly sha256: Sha256;
  readonly place: string;
}

interface Asking<Places> {
  readonly source: UnpinnedSource;
  readonly places: Places;
  readonly progress: FetchProgress;
}

async function fetchCurrent(
  host: Host,
  store: Store,
  { source, places, progress }: Asking<readonly SourcePlace[]>,
): Promise<Current> {
  const reasons: string[] = [];
  for (const place of places) {
    const outcome =
      place.kind === 'debian-archive'
        ? await fromArchive(host, store, { source, place })
        : await fromAddress(host, store, { source, places: place, progress });
    if ('sha256' in outcome) return { sha256: outcome.sha256, place: placeLabel(place) };
    reasons.push(outcome.reason);
  }
  throw new BuildError('SOURCE_MISSING', `${source.fileName} can't be had: ${reasons.join('; ')}`, {
    location: source.location,
    hint: 'check the network, the address in the spec, and the places in the distribution’s configuration',
  });
}

type Outcome = { readonly sha256: Sha256 } | { readonly reason: string };

/** The archive is asked by digest: the lock must name the file. */
async function fromArchive(
  host: Host,
  store: Store,
  { source, place }: { source: UnpinnedSource; place: Extract<SourcePlace, { kind: 'debian-archive' }> },
): Promise<Outcome> {
  const named = [...readDebianLock(place.lock).values()].filter(({ fileName }) => fileName === source.fileName);
  if (named.length !== 1)
    return { reason: `the lock of the Debian archive has ${named.length} files of the name ${source.fileName}` };
  const { sha256 } = named[0]!;
  try {
    await fetchSources(host, store, { requests: [{ fileName: source.fileName, sha256 }], places: [place] });
    return { sha256 };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { reason: error.message };
  }
}

async function fromAddress(
  host: Host,
  store: Store,
  { source, places: place, progress }: Asking<Extract<SourcePlace, { kind: 'spec-url' | 'mirror' }>>,
): Promise<Outcome> {
  if (place.kind === 'mirror' && place.template.includes('{sha256}'))
    return { reason: `${placeLabel(place)} is asked by digest, which is what is looked for` };
  const url = place.kind === 'mirror' ? mirrorUrl(place.template, { fileName: source.fileName }) : source.url;
  const token = tokenFor(host, place);
  const outcome = await download(host, store, {
    url,
    fileName: source.fileName,
    tell: progress.file(source.fileName),
    ...(token === undefined ? {} : { token }),
  });
  if ('reason' in outcome) return outcome;
  const { sha256 } = outcome.blob;
  await writeProvenance(store, sha256, { place: placeLabel(place), address: withoutCredentials(url) });
  return { sha256 };
}
