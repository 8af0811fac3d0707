/** What a downloading program sees of our environment: search path, proxies and certificate authorities; nothing else. */
import type { Host } from '@kiln/host';

const KEPT = [
  'APT_CONFIG',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'CURL_CA_BUNDLE',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

export function downloadEnvironment(host: Host): Record<string, string> {
  const values = KEPT.flatMap((name) => {
    const value = host.environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { PATH: host.environment['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', ...Object.fromEntries(values) };
}
