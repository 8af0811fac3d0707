/** Running programs: one shape of request, output to memory or to a log, the whole process group ends with us. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { BuildError } from '@kiln/diagnostics';
import { LogFile } from './log-file.ts';

export interface RunRequest {
  /** Program and arguments; never a shell line. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** The whole environment of the process; ours when omitted. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** File that receives standard output and error; when given the result's texts hold only their ends. */
  readonly log?: string;
  /** Called with each completed line of standard output or error. */
  readonly onLine?: (line: string) => void;
  /** Wall-clock limit in seconds; the process group is killed when it is over. */
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
  /** Connects the terminal itself: for interactive shells. */
  readonly interactive?: boolean;
  /** Called once with the id of the process, for those who watch it. */
  readonly onStart?: (pid: number) => void;
  /** Bytes of standard output and error together; the process group is killed when there are more. */
  readonly outputLimitBytes?: number;
}

export interface RunResult {
  /** Exit status, or 128 + signal number, as a shell reports it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  readonly timedOut: boolean;
  /** Set when it was killed because of its output's size. */
  readonly outputExceeded?: true;
}

const KEPT_CHARACTERS = 64 * 1024 * 1024;
const KEPT_WITH_LOG = 64 * 1024;
/** Longer lines are reported in pieces. */
const LONGEST_LINE = 64 * 1024;
const live = new Set<number>();
let endWithUs = false;

/**
 * Runs a program to its end. A non-zero status is a result, not an exception.
 * @throws BuildError `PROGRAM_NOT_FOUND` when there is no such program; `INTERRUPTED` when the signal aborted it; `LOG_UNWRITABLE`.
 */
export async function runProcess(request: RunRequest): Promise<RunResult> {
  request.signal?.throwIfAborted();
  killGroupsAtExit();
  const started = performance.now();
  const [program, ...args] = request.argv;
  const child = spawn(program, args, {
    cwd: request.cwd,
    env: request.environment === undefined ? process.env : { ...request.environment },
    stdio: request.interactive ? 'inherit' : ['pipe', 'pipe', 'pipe'],
    detached: !request.interactive,
  });
  if (child.pid !== undefined) {
    live.add(child.pid);
    request.onStart?.(child.pid);
  }
  const kill = () => killGroup(child.pid);
  const log = request.log === undefined ? undefined : new LogFile(request.log, kill);
  const keep = log === undefined ? KEPT_CHARACTERS : KEPT_WITH_LOG;
  let written = 0;
  const limit = request.outputLimitBytes ?? Infinity;
  const onBytes = (count: number) => void ((written += count) > limit && kill());
  const take = { keep, log, onLine: request.onLine, onBytes };
  const stdout = collect(child.stdout, take);
  const stderr = collect(child.stderr, take);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(request.input ?? '');

  let timedOut = false;
  const timer =
    request.timeoutSeconds === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          kill();
        }, request.timeoutSeconds * 1000);
  request.signal?.addEventListener('abort', kill);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    request.signal?.throwIfAborted();
    await log?.end();
    return {
      status: code ?? 128 + signalNumber(signal),
      stdout: stdout(),
      stderr: stderr(),
      seconds: (performance.now() - started) / 1000,
      timedOut,
      ...(written > limit ? { outputExceeded: true } : {}),
    };
  } catch (error) {
    if (request.signal?.aborted) throw interrupted(program, error);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(program, error);
    throw error;
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', kill);
    if (child.pid !== undefined) live.delete(child.pid);
    await log?.end().catch(() => undefined);
  }
}

function interrupted(program: string, cause: unknown): BuildError {
  return new BuildError('INTERRUPTED', `${program} was interrupted; nothing half-done is kept`, {
    hint: 'what was finished stays: the same command goes on from there',
    cause,
  });
}

function notFound(program: string, cause: unknown): BuildError {
  return new BuildError('PROGRAM_NOT_FOUND', `the program '${program}' is not installed or not in PATH`, {
    hint: 'run `kiln doctor` to see what is missing and how to get it',
    cause,
  });
}

/** Quotes an argument vector so that it can be pasted into a POSIX shell. */
export function shellQuote(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

type Readable = (NodeJS.ReadableStream & { setEncoding(encoding: BufferEncoding): unknown }) | null;

interface Taking {
  readonly keep: number;
  readonly log: LogFile | undefined;
  readonly onLine: ((line: string) => void) | undefined;
  readonly onBytes: (count: number) => void;
}

function collect(stream: Readable, { keep, log, onLine, onBytes }: Taking): () => string {
  if (stream === null) return () => '';
  let text = '';
  let partial = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    onBytes(Buffer.byteLength(chunk));
    log?.write(chunk, stream);
    text = (text + chunk).slice(-keep);
    if (onLine === undefined) return;
    const lines = (partial + chunk).split('\n');
    partial = lines.pop()!;
    if (partial.length > LONGEST_LINE) {
      lines.push(partial);
      partial = '';
    }
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (partial !== '') onLine?.(partial);
  });
  return () => text;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is already gone.
  }
}

function killGroupsAtExit(): void {
  if (endWithUs) return;
  endWithUs = true;
  process.on('exit', () => live.forEach(killGroup));
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal];
}

/** Whether a program says that there is no space left to write to: strerror(3) of ENOSPC or EDQUOT. */
export function saysNoSpace(output: string): boolean {
  return /No space left on device|Disk quota exceeded/.test(output);
}
