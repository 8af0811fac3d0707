/** The real root of image tools for tests, in the store that the toolchain's tests keep. */
import { chmodSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '@kiln/host';
import { Store } from '@kiln/store';
import { loadDebianToolchain, toolchainLayer } from '@kiln/toolchain';

const WORKSPACE = join(import.meta.dirname, '../../..');
const FILES = {
  packages: 'toolkit/toolchain/image-tools.json',
  lock: 'toolkit/toolchain/image-tools.lock.json',
};

export async function imageToolsRoot(host: Host): Promise<string> {
  const directory = process.env['KILN_TEST_STORE'] ?? join(tmpdir(), `kiln-test-store-${process.getuid!()}`);
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  const { lock } = loadDebianToolchain(WORKSPACE, FILES);
  return (await toolchainLayer(host, new Store(host, directory), lock.packages)).root;
}
