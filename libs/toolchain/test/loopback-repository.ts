/** Repositories of RPMs served on loopback, and keys to sign them with. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { createHost } from '@kiln/host';
import { withSigner } from '@kiln/rpm-repository';
import type { TestKey } from '../../rpm-repository/test/signing-key.ts';

const TIME = 1_700_000_000;

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
