/** The doors that the image stage uses: programs of the toolchain in the sandbox, and directories that these may write to. */
import type { Json, Sha256 } from '@kiln/build-identity';
import type { RunResult } from '@kiln/host';

/** Where programs of the toolchain find a work directory. */
export const SCRATCH = '/scratch';

/** A file or directory of the machine inside the sandbox. */
export interface ToolMount {
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}

/** A program to run as uid 0 of 65,536 mapped ids, without network. */
export interface ToolRequest {
  readonly argv: readonly [string, ...string[]];
  readonly mounts: readonly ToolMount[];
  readonly environment: Readonly<Record<string, string>>;
  /** Directories that make the root instead of the toolchain's: for running what an image holds. */
  readonly layers?: readonly string[];
  /** The one layer is the root itself and is written to. */
  readonly writableRoot?: boolean;
  /** Directories in the sandbox that get the usual device nodes (/dev/null, ...), so that scriptlets in a root of their own find them. */
  readonly deviceDirectories?: readonly string[];
  /** For its standard input; it stands in no log. */
  readonly input?: string;
  readonly cwd?: string;
  readonly log?: string;
  readonly onLine?: (line: string) => void;
}

/** `command` is the whole command with its sandbox, ready to paste. */
export interface ToolResult extends RunResult {
  readonly command?: string;
}

/** A step whose result is the same for several images. */
export interface SharedStep {
  /** All that decides what the files are, but for the toolchain. */
  readonly request: Json;
  /** For those who wait while somebody else makes the files. */
  readonly what: string;
  /** Puts the files into an empty directory. */
  readonly make: (directory: string) => Promise<void>;
}

/** By name. */
export type SharedFiles = Readonly<Record<string, SharedFile>>;

export interface SharedFile {
  readonly path: string;
  readonly sha256: Sha256;
  /** In bytes. */
  readonly size: number;
}

export interface ImagePorts {
  /** Runs a program of the toolchain; a non-zero status is a result. */
  readonly run: (request: ToolRequest) => Promise<ToolResult>;
  /** A root with the programs that make disks and file systems. @throws BuildError when the distribution names none */
  readonly imageTools: () => Promise<string>;
  /** A root with a virtual machine. @throws BuildError when the distribution names none */
  readonly bootTools: () => Promise<string>;
  /** The files of a step that images share. They are in the store, and read-only. */
  readonly shared: (step: SharedStep) => Promise<SharedFiles>;
  /** A new empty directory that belongs to root of the sandbox. `name` is for people. */
  readonly makeWorkDirectory: (name: string) => Promise<string>;
  /** Removes it with everything in it, whoever owns that. */
  readonly removeWorkDirectory: (directory: string) => Promise<void>;
}

/** Runs `work` with work directories that are removed afterwards, whatever happens; what failed first is what is thrown. */
export function withWorkDirectories<T>(
  ports: ImagePorts,
  names: readonly string[],
  work: (directories: readonly string[]) => Promise<T>,
): Promise<T> {
  return withWorkDirectoriesFirst(ports, names, work, (made) => Promise.resolve(made));
}

/** The same with a second part of the work, which no longer needs the directories: they are removed meanwhile, which takes its time. */
export async function withWorkDirectoriesFirst<T, R>(
  ports: ImagePorts,
  names: readonly string[],
  work: (directories: readonly string[]) => Promise<T>,
  then: (made: T) => Promise<R>,
): Promise<R> {
  const directories: string[] = [];
  const removeAll = () => Promise.allSettled(directories.map((directory) => ports.removeWorkDirectory(directory)));
  let made: T;
  try {
    for (const name of names) directories.push(await ports.makeWorkDirectory(name));
    made = await work(directories);
  } catch (error) {
    await removeAll();
    throw error;
  }
  const [[result], removals] = await Promise.all([Promise.allSettled([then(made)]), removeAll()]);
  if (result.status === 'rejected') throw result.reason;
  for (const removal of removals) if (removal.status === 'rejected') throw removal.reason;
  return result.value;
}
