/** The path of a URL (urlPath, rpmio/url.c). */

const SCHEMES = ['file://', 'ftp://', 'hkp://', 'http://', 'https://'];

/** The part from the first slash after the host; empty when there is none or for `-`; other texts as they are. */
export function urlPath(url: string): string {
  if (url === '-') return '';
  const scheme = SCHEMES.find((lead) => url.startsWith(lead));
  if (scheme === undefined) return url;
  const slash = url.indexOf('/', scheme.length);
  return slash < 0 ? '' : url.slice(slash);
}
