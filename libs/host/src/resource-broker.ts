/**
 * Shares memory and cores among all runs of a user on this machine. Each task is one file in a directory: it waits as
 * `<id>.waiting`, runs as `<id>.held`, and is gone afterwards. What a killed process leaves is removed by the next one that looks.
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { admit, type Lack, type Resources, type Ticket } from './admission.ts';
import { withFileLock } from './file-lock.ts';
import { processStart } from './process-identity.ts';

/** What a task asks for. */
export interface ResourceRequest extends Resources {
  /** For people who look into the directory. */
  readonly what: string;
  readonly priority: number;
  /** What it will probably take. */
  readonly seconds: number;
}

/** Why a task still waits. */
export interface Waiting {
  readonly lack: Lack;
  readonly free: Resources;
}

export interface ResourceBrokerOptions {
  readonly directory: string;
  readonly capacity: Resources;
  /** Most tasks of this broker at once; the machine's resources are the only limit when omitted. */
  readonly most?: number;
  /** Milliseconds between two looks at what other processes do. */
  readonly interval?: number;
}

interface TicketFile extends Omit<Ticket, 'held'> {
  readonly what: string;
  readonly pid: number;
  readonly processStart: number;
}

interface Waiter {
  readonly ticket: TicketFile;
  readonly granted: () => void;
  readonly failed: (error: unknown) => void;
  readonly onWait: ((waiting: Waiting) => void) | undefined;
}

const INTERVAL = 200;
/** Milliseconds without a sign of life after which a waiting process is passed over: it was stopped. */
const SILENCE = 30_000;
const SIGN_OF_LIFE = 5_000;

/**
 * The directory that all runs of a user share, whichever store they use: `KILN_TOKENS`, else one in `/tmp`.
 */
export function defaultTokenDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['KILN_TOKENS'] || `/tmp/kiln-${process.getuid?.() ?? 0}/tokens`;
}

export class ResourceBroker {
  readonly #options: ResourceBrokerOptions;
  readonly #run = `${process.pid}-${randomBytes(4).toString('hex')}`;
  readonly #waiters = new Map<string, Waiter>();
  readonly #contents = new Map<string, TicketFile>();
  #clock: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #tickets = 0;
  #lastSign = 0;

  constructor(options: ResourceBrokerOptions) {
    this.#options = options;
  }

  /**
   * Runs `work` while its resources are taken. `onWait` is called with each change of what it waits for.
   * @throws BuildError `TOKENS_UNUSABLE`, `LOCK_FAILED`; the reason of `signal` when it aborts before `work` begins.
   */
  async withResources<T>(
    request: ResourceRequest,
    work: () => Promise<T>,
    options: { readonly onWait?: (waiting: Waiting) => void; readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    options.signal?.throwIfAborted();
    prepareDirectory(this.#options.directory);
    const ticket = this.#newTicket(request);
    const abort = () => this.#waiters.get(ticket.id)?.failed(options.signal?.reason);
    options.signal?.addEventListener('abort', abort);
    try {
      writeFileSync(this.#path(ticket.id, 'new'), JSON.stringify(ticket));
      renameSync(this.#path(ticket.id, 'new'), this.#path(ticket.id, 'waiting'));
      await new Promise<void>((granted, failed) => {
        this.#waiters.set(ticket.id, { ticket, granted, failed, onWait: options.onWait });
        this.#look();
      });
      this.#waiters.delete(ticket.id);
      return await work();
    } finally {
      options.signal?.removeEventListener('abort', abort);
      this.#waiters.delete(ticket.id);
      for (const state of ['new', 'waiting', 'held']) rmSync(this.#path(ticket.id, state), { force: true });
      this.#look();
    }
  }

  #newTicket(request: ResourceRequest): TicketFile {
    this.#tickets += 1;
    const { most } = this.#options;
    return {
      ...request,
      id: `${this.#run}-${this.#tickets}`,
      since: Date.now(),
      run: this.#run,
      pid: process.pid,
      processStart: processStart(process.pid) ?? 0,
      ...(most === undefined ? {} : { most }),
    };
  }

  #path(id: string, state: string): string {
    return join(this.#options.directory, `${id}.${state}`);
  }

  /** Looks once more soon; several wishes are one look. */
  #look(): void {
    this.#lookAgain = true;
    this.#looking ??= this.#lookWhileAsked().finally(() => {
      this.#looking = undefined;
      clearTimeout(this.#clock);
      if (this.#waiters.size > 0) this.#clock = setTimeout(() => this.#look(), this.#options.interval ?? INTERVAL);
    });
  }

  async #lookWhileAsked(): Promise<void> {
    await Promise.resolve();
    while (this.#lookAgain && this.#waiters.size > 0) {
      this.#lookAgain = false;
      try {
        this.#signLife();
        // Without the lock first: most looks change nothing.
        if (this.#admitted().length > 0) await this.#grant();
      } catch (error) {
        for (const waiter of this.#waiters.values()) waiter.failed(error);
      }
    }
  }

  async #grant(): Promise<void> {
    await withFileLock(join(this.#options.directory, 'lock'), () => {
      for (const { ticket, granted } of this.#admitted()) {
        const now = Date.now() / 1000;
        // Read as the time at which it began.
        utimesSync(this.#path(ticket.id, 'waiting'), now, now);
        renameSync(this.#path(ticket.id, 'waiting'), this.#path(ticket.id, 'held'));
        this.#waiters.delete(ticket.id);
        granted();
      }
      return Promise.resolve();
    });
  }

  /** Our tasks that may start; the others are told what they lack. */
  #admitted(): Waiter[] {
    const answers = admit(this.#readTickets(), this.#options.capacity, Date.now());
    return [...this.#waiters.values()].filter(({ ticket, onWait }) => {
      const answer = answers.get(ticket.id);
      if (answer === undefined) return false;
      const { lack, free } = answer;
      if (lack !== undefined) onWait?.({ lack, free });
      return lack === undefined;
    });
  }

  #readTickets(): Ticket[] {
    const { directory } = this.#options;
    const seen = new Set<string>();
    const tickets = readdirSync(directory).flatMap((name) => {
      const [, id, state] = /^(.+)\.(waiting|held)$/.exec(name) ?? [];
      if (id === undefined) return [];
      seen.add(id);
      const file = this.#contents.get(id) ?? readTicket(join(directory, name));
      if (file === undefined) return [];
      this.#contents.set(id, file);
      if (file.pid !== process.pid && processStart(file.pid) !== file.processStart) {
        rmSync(join(directory, name), { force: true });
        return [];
      }
      const changed = statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (state === 'held') return [{ ...file, held: true, since: changed }];
      return Date.now() - changed > SILENCE ? [] : [{ ...file, held: false }];
    });
    for (const id of this.#contents.keys()) if (!seen.has(id)) this.#contents.delete(id);
    return tickets;
  }

  #signLife(): void {
    const now = Date.now();
    if (now - this.#lastSign < SIGN_OF_LIFE) return;
    this.#lastSign = now;
    for (const id of this.#waiters.keys()) utimesSync(this.#path(id, 'waiting'), now / 1000, now / 1000);
  }
}

function readTicket(path: string): TicketFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TicketFile;
  } catch {
    // It has just become another state, or is gone.
    return undefined;
  }
}

/** The directory is in a place where others may write: it must be ours. */
function prepareDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (found.isDirectory() && found.uid === process.getuid?.()) return;
  throw new BuildError(
    'TOKENS_UNUSABLE',
    `${directory}, where builds share memory and cores, belongs to somebody else`,
    {
      hint: 'remove it, or let KILN_TOKENS name another directory',
    },
  );
}
