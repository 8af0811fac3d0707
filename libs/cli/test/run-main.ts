/** Runs the command line in this process and keeps what it prints. */
import { Writable } from 'node:stream';
import pc from 'picocolors';
import { main } from '../src/main.ts';

export interface RanMain {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export async function runMain(...argv: string[]): Promise<RanMain> {
  const texts = { out: '', err: '' };
  const stream = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        texts[name] += chunk.toString();
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  const terminal = { out: stream('out'), err: stream('err'), live: false, colors: pc.createColors(false) };
  const status = await main(argv, terminal);
  return { status, ...texts };
}
