/** Places that source files can be had from; a distribution lists them in the order in which they are asked. */
import type { Sha256 } from '@kiln/build-identity';

/**
 * `spec-url` is the address that a spec states; `debian-archive` asks this machine's apt for the files that the lock at the path `lock` has.
 * A mirror's `template` is an `http`, `https` or `file` address with `{fileName}` or `{sha256}` in it; one that ends with `/` gets the file
 * name appended. `tokenVariable` names the environment variable that holds a bearer token for it.
 */
export type SourcePlace =
  | { readonly kind: 'spec-url' }
  | { readonly kind: 'debian-archive'; readonly lock: string }
  | { readonly kind: 'mirror'; readonly template: string; readonly tokenVariable?: string };

/** How a place is called in messages and provenance. */
export function placeLabel(place: SourcePlace): string {
  return place.kind === 'mirror' ? withoutCredentials(place.template) : place.kind;
}

/** The address of a file at a mirror. */
export function mirrorUrl(
  template: string,
  { fileName, sha256 = '' }: { readonly fileName: string; readonly sha256?: Sha256 | '' },
): string {
  const whole = template.endsWith('/') ? `${template}{fileName}` : template;
  return whole.replaceAll('{fileName}', encodeURIComponent(fileName)).replaceAll('{sha256}', sha256);
}

/** An address as it may be shown: without user name, password and query, which can hold secrets. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1').replace(/\?[^#]*/, '?…');
}
