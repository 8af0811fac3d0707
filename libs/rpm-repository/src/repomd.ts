/** `repodata/repomd.xml`: which metadata files a repository has, and their digests. */
import { malformedRepodata, locationOutside } from './repodata-error.ts';
import type { Checksum, StatedFile } from './repodata-source.ts';
import { attributeOf, childOf, naturalNumber, readXml, requiredChild, type XmlElement } from './repodata-xml.ts';

export interface Repomd {
  readonly revision?: string;
  /** By type: `primary`, `filelists`, `other`, `updateinfo`, … */
  readonly files: ReadonlyMap<string, StatedFile>;
}

/** @throws BuildError `REPODATA_MALFORMED`, `REPODATA_PATH_OUTSIDE`. `file` names it in errors. */
export async function parseRepomd(bytes: Uint8Array, file: string): Promise<Repomd> {
  let revision: string | undefined;
  const files = new Map<string, StatedFile>();
  for await (const element of readXml(asStream(bytes), 'repomd', file).children) {
    if (element.name === 'revision') revision = element.text;
    if (element.name !== 'data') continue;
    const type = attributeOf(element, 'type', file);
    if (files.has(type)) throw malformedRepodata({ file, line: element.line }, `'${type}' stands there twice`);
    files.set(type, parseStated(element, file));
  }
  return { files, ...(revision === undefined ? {} : { revision }) };
}

function parseStated(element: XmlElement, file: string): StatedFile {
  const number = (name: string): number | undefined => {
    const child = childOf(element, name);
    return child === undefined ? undefined : naturalNumber(child.text, child, file);
  };
  const [size, openSize, open] = [number('size'), number('open-size'), childOf(element, 'open-checksum')];
  const place = requiredChild(element, 'location', file);
  if (place.attributes['xml:base'] !== undefined) {
    throw malformedRepodata({ file, line: place.line }, 'metadata that lie elsewhere (xml:base) are not read');
  }
  return {
    path: locationBelow(place, file),
    checksum: parseChecksum(requiredChild(element, 'checksum', file), file),
    ...(size === undefined ? {} : { size }),
    ...(open === undefined ? {} : { openChecksum: parseChecksum(open, file) }),
    ...(openSize === undefined ? {} : { openSize }),
    location: { file, line: element.line },
  };
}

/** `<checksum type="sha256">…</checksum>`. @throws BuildError `REPODATA_MALFORMED` */
export function parseChecksum(element: XmlElement, file: string): Checksum {
  const value = element.text.trim().toLowerCase();
  if (!/^[0-9a-f]+$/.test(value)) {
    throw malformedRepodata({ file, line: element.line }, `'${element.text}' is no digest`);
  }
  return { algorithm: attributeOf(element, 'type', file), value };
}

/**
 * The `href` of a location element: a relative path that stays below the repository.
 * @throws BuildError `REPODATA_PATH_OUTSIDE`, `REPODATA_MALFORMED`
 */
export function locationBelow(element: XmlElement, file: string): string {
  const path = attributeOf(element, 'href', file);
  const bad = path === '' || path.startsWith('/') || path.includes('\0') || path.includes('\\') || /^\w+:/.test(path);
  if (bad || path.split('/').includes('..')) throw locationOutside({ file, line: element.line }, path);
  return path;
}

async function* asStream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
