/** The store of these tests: kept between runs, because the packages of the toolchain are 120 MB. */
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHost, type KilnEvent } from '@kiln/host';
import { Store } from '@kiln/store';
import { loadDebianToolchain } from '@kiln/toolchain';

export const events: KilnEvent[] = [];
export const host = createHost({ emit: (event) => events.push(event) });
export const workspace = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const files = {
  packages: 'toolkit/toolchain/debian-bookworm.json',
  lock: 'toolkit/toolchain/debian-bookworm.lock.json',
};

/** A directory in /tmp that everybody can enter. */
export function openDirectory(path: string): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
  return path;
}

export function testStore(): Store {
  return new Store(
    host,
    process.env['KILN_TEST_STORE'] ?? openDirectory(join(tmpdir(), `kiln-test-store-${process.getuid!()}`)),
  );
}

export const locked = loadDebianToolchain(workspace, files);

export function readWorkspaceFile(path: string): string {
  return readFileSync(join(workspace, path), 'utf8');
}
