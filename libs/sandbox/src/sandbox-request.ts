/** What runs in a sandbox: the root, what is mounted into it, the program, its bounds. */

/**
 * `builder`: uid and gid 1000, no capabilities, one user; what it writes belongs to the build user of the machine.
 * `root`: uid 0 with 65,536 ids, for installing packages and for archives with owners; needs subordinate ids.
 */
export type SandboxIdentity = 'builder' | 'root';

/** A file or directory of the machine inside the sandbox. Both paths are absolute. */
export interface SandboxMount {
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}

/** Bounds of everything in the sandbox; what is left out is not limited. */
export interface SandboxLimits {
  /** Processes and threads at one time. Meeting it ends the run. */
  readonly processes?: number;
  /** Memory of all processes together, with the temporary file systems. Meeting it ends the run. */
  readonly memoryBytes?: number;
  /** Space that the writable mounts together take on their disks. Meeting it ends the run. */
  readonly diskBytes?: number;
  /** Standard output and error together. Meeting it ends the run. */
  readonly outputBytes?: number;
  /** Open files of one process; opening more fails. */
  readonly openFiles?: number;
  /** Largest file that may be written; the signal SIGXFSZ ends a program that goes on. */
  readonly fileSizeBytes?: number;
  /** Size of each of the temporary file systems in memory; then they are full. */
  readonly temporaryBytes?: number;
}

/** Limits that end the run when they are met. */
export type LimitName = 'processes' | 'memoryBytes' | 'diskBytes' | 'outputBytes';

export interface SandboxRequest {
  /** Absolute directories, topmost first; their union is the read-only root. They are not written to. */
  readonly layers: readonly string[];
  /** The one layer is the root itself and is written to; it has the places of mounts, or gets them. */
  readonly writableRoot?: boolean;
  readonly mounts?: readonly SandboxMount[];
  /** Directories that get the usual device nodes, besides `/dev`: for programs that change their root. */
  readonly deviceDirectories?: readonly string[];
  readonly identity: SandboxIdentity;
  readonly argv: readonly [string, ...string[]];
  /** The whole environment; only `PWD` is added, which is `cwd`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path inside the sandbox; `/` when omitted. */
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly limits?: SandboxLimits;
  /** Uses the network of the machine, with its name servers; without it there is only a loopback interface. */
  readonly network?: boolean;
  readonly timeoutSeconds?: number;
  /** File that receives standard output and error. */
  readonly log?: string;
  readonly onLine?: (line: string) => void;
  /** Connects the terminal, through a pseudo terminal of its own. */
  readonly interactive?: boolean;
}
