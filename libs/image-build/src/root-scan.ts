/** What is in an unpacked root, as find(1) lists it. */
import { BuildError } from '@kiln/diagnostics';

/** A file of any type. `path` is absolute in the root; the root itself is not listed. */
export interface ScannedFile {
  readonly path: string;
  /** find's letter: f, d, l, c, b, p, s. */
  readonly type: string;
  readonly size: number;
  /** Permissions with the bits for set-id and stickiness. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of symbolic links. */
  readonly target?: string;
}

/** For find's -printf: NUL-separated fields, seven for each file. */
export const SCAN_FORMAT = '%y\\0%s\\0%m\\0%U\\0%G\\0%l\\0%P\\0';

const FIELDS = 7;
const MOST_LINKS = 40;

/** Parses what find printed by `SCAN_FORMAT`. @throws BuildError `ROOT_SCAN_FAILED` */
export function parseScan(text: string): ScannedFile[] {
  const fields = text.split('\0').slice(0, -1);
  if (fields.length % FIELDS !== 0)
    throw new BuildError('ROOT_SCAN_FAILED', `find printed ${fields.length} fields, not a multiple of ${FIELDS}`);
  const files: ScannedFile[] = [];
  for (let at = 0; at < fields.length; at += FIELDS) {
    const [type, size, mode, uid, gid, target, path] = fields.slice(at, at + FIELDS) as [string, ...string[]];
    if (path === '') continue;
    files.push({
      path: `/${path}`,
      type,
      size: Number(size),
      mode: Number.parseInt(mode!, 8),
      uid: Number(uid),
      gid: Number(gid),
      ...(target === '' ? {} : { target: target! }),
    });
  }
  return files;
}

/** Finds real paths in a scanned root: packages may name a file through a directory link, such as /lib64. */
export class RootPaths {
  readonly #files: ReadonlyMap<string, ScannedFile>;

  /** @param files all, or by path: then later changes of the map count */
  constructor(files: readonly ScannedFile[] | ReadonlyMap<string, ScannedFile>) {
    this.#files =
      files instanceof Map ? files : new Map((files as readonly ScannedFile[]).map((file) => [file.path, file]));
  }

  get(path: string): ScannedFile | undefined {
    return this.#files.get(this.real(path));
  }

  /** What is really there: as `get`, with the last step followed when it is a link. */
  follow(path: string): ScannedFile | undefined {
    return this.#files.get(this.#realDirectory(stepsOf(path), MOST_LINKS));
  }

  /** The path with links in its directories followed; the last step is kept, also when it is a link itself. */
  real(path: string): string {
    const steps = stepsOf(path);
    const last = steps.pop();
    return last === undefined ? '/' : join(this.#realDirectory(steps, MOST_LINKS), last);
  }

  #realDirectory(steps: readonly string[], links: number): string {
    let real = '/';
    for (const [index, step] of steps.entries()) {
      if (step === '.') continue;
      if (step === '..') {
        real = real.slice(0, real.lastIndexOf('/')) || '/';
        continue;
      }
      const next = join(real, step);
      const target = this.#files.get(next)?.target;
      if (target === undefined || links === 0) {
        real = next;
        continue;
      }
      const start = target.startsWith('/') ? [] : real.split('/');
      const remaining = [...start, ...target.split('/'), ...steps.slice(index + 1)].filter((one) => one !== '');
      return this.#realDirectory(remaining, links - 1);
    }
    return real;
  }
}

function stepsOf(path: string): string[] {
  return path.split('/').filter((step) => step !== '');
}

function join(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}
