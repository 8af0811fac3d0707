/** A root with a shell and a few programs of this machine, for tests. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const PROGRAMS = [
  'bash',
  'cat',
  'chown',
  'env',
  'hostname',
  'id',
  'ls',
  'mkdir',
  'perl',
  'sleep',
  'stat',
  'touch',
  'unshare',
  'rm',
  'dd',
];

const made: string[] = [];

/** Makes a directory in /tmp that everybody can read. */
export function temporaryDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `kiln-test-${name}-`));
  chmodSync(directory, 0o755);
  made.push(directory);
  return directory;
}

export function removeTemporaryDirectories(): void {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
}

/** Programs with their libraries, /etc/passwd with a builder, mount points for nothing. */
export function makeTinyRoot(): string {
  const root = temporaryDirectory('root');
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  mkdirSync(join(root, 'etc'));
  for (const link of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(root, link));
  for (const link of ['lib', 'lib64']) mkdirSync(join(root, 'usr', link));
  symlinkSync('bash', join(root, 'usr/bin/sh'));
  for (const program of PROGRAMS) {
    const path = realpathSync(execFileSync('which', [program], { encoding: 'utf8' }).trim());
    cpSync(path, join(root, 'usr/bin', program));
    for (const [library] of execFileSync('ldd', [path], { encoding: 'utf8' }).matchAll(/\/\S+/g)) {
      const copy = join(root, library.replace(/^\/usr/, '').replace(/^\//, 'usr/'));
      if (existsSync(copy)) continue;
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(realpathSync(library), copy);
    }
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nbuilder:x:1000:1000::/:/bin/sh\n');
  return root;
}
