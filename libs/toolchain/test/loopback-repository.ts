/** Repositories of RPMs served on loopback, and keys to sign them with. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { createHost } from '@kiln/host';
import { withSigner, type SigningKey } from '@kiln/rpm-repository';

export interface TestKey extends SigningKey {
  /** Armored private key, without a passphrase. */
  readonly secret: string;
}

const TIME = 1_700_000_000;

/** Makes a key below `top`; its public part is `<name>.asc`. */
export function makeKey(top: string, name: string): TestKey {
  const home = join(top, `home-${name}`);
  mkdirSync(home, { mode: 0o700 });
  const gpg = (...args: string[]) =>
    execFileSync('gpg', ['--batch', '--quiet', '--homedir', home, '--passphrase', '', ...args], { encoding: 'utf8' });
  gpg('--quick-generate-key', `${name} <${name}@kiln.example>`, 'ed25519', 'sign', 'never');
  const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(gpg('--with-colons', '--list-keys'))![1]!;
  const publicKeyFile = join(top, `${name}.asc`);
  writeFileSync(publicKeyFile, gpg('--armor', '--export', fingerprint));
  const secret = gpg('--armor', '--export-secret-keys', fingerprint);
  execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  return { fingerprint, publicKeyFile, secret };
}

/** A repository with these RPMs, they and `repomd.xml` signed by the key. */
export async function makeRepository(directory: string, rpms: readonly string[], key?: TestKey): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const copies = rpms.map((rpm) => join(directory, basename(rpm)));
  rpms.forEach((rpm, at) => copyFileSync(rpm, copies[at]!));
  await sign(key, (signer) => Promise.all(copies.map((path) => signer.signRpm(path, TIME))));
  execFileSync('createrepo_c', ['--quiet', '--no-database', directory]);
  if (key !== undefined) await signFile(join(directory, 'repodata/repomd.xml'), key);
}

/** Writes `<path>.asc`. */
export async function signFile(path: string, key: TestKey): Promise<void> {
  await sign(key, (signer) => signer.signFile(path, TIME));
}

async function sign(key: TestKey | undefined, use: Parameters<typeof withSigner>[2]): Promise<void> {
  if (key === undefined) return;
  const environment = { PATH: process.env['PATH'], KILN_SIGNING_KEY: key.secret };
  await withSigner({ ...createHost(), environment }, key, use);
}

/** What a server does with a request instead of sending the file: true when it has answered, or never will. */
export type Trouble = (path: string, response: ServerResponse) => boolean;

export interface LoopbackServer {
  readonly server: Server;
  readonly url: string;
  /** Paths in the order in which they were asked for. */
  readonly asked: string[];
  trouble: Trouble;
}

/** Serves the files of a directory. */
export async function serveDirectory(directory: string): Promise<LoopbackServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!.slice(1));
    asked.push(path);
    if (served.trouble(path, response)) return;
    try {
      response.end(readFileSync(join(directory, path)));
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const served: LoopbackServer = { server, url, asked, trouble: () => false };
  return served;
}
