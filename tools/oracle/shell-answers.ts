/** Answers to %(…): a file of command and output; unknown commands can be run once and recorded. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export interface ShellAnswers {
  readonly answer: (command: string) => string | undefined;
  /** Writes the file when there is something new. */
  readonly save: () => void;
}

/** With `record`, a command without an answer runs in bash in an empty environment; `path` comes first in its search path. */
export function openShellAnswers(
  file: string,
  record?: { readonly path: string; readonly directory: string },
): ShellAnswers {
  const known: Record<string, string> = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)
    : {};
  let changed = false;
  return {
    answer: (command) => {
      if (Object.hasOwn(known, command)) return known[command];
      if (record === undefined) return undefined;
      const env = { PATH: `${record.path}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: '/root', LANG: 'C.UTF-8' };
      const { stdout } = spawnSync('/bin/bash', ['--norc', '-c', command], {
        env,
        cwd: record.directory,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: 20_000,
      });
      known[command] = stdout ?? '';
      changed = true;
      return known[command];
    },
    save: () => {
      if (changed) writeFileSync(file, `${JSON.stringify(known, Object.keys(known).sort(), 1)}\n`);
    },
  };
}
