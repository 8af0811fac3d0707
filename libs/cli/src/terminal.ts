/** Where the command line writes: streams, whether a person watches, and colours only then. */
import pc from 'picocolors';

export type Colors = ReturnType<typeof pc.createColors>;

export interface Terminal {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
  /** Whether standard output is a terminal that can rewrite its last lines. */
  readonly live: boolean;
  readonly colors: Colors;
}

/** The terminal of this process. */
export function processTerminal(environment: Readonly<Record<string, string | undefined>>): Terminal {
  const sized = process.stdout.isTTY && process.stdout.rows > 0 && process.stdout.columns > 0;
  const live = sized && environment['TERM'] !== 'dumb' && environment['CI'] === undefined;
  return {
    out: process.stdout,
    err: process.stderr,
    live,
    colors: pc.createColors(process.stdout.isTTY === true && !environment['NO_COLOR']),
  };
}
