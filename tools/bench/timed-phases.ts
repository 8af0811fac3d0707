/** Shell scripts that mount and change their root, as root, in a mount namespace of their own; and how long their parts take. */
import { spawnSync } from 'node:child_process';

/**
 * Runs the parts one after the other in one bash, which ends at the first error; returns the seconds of each. `before` isn't timed.
 * @throws Error with the end of what they said.
 */
export function timedPhases<Name extends string>(
  phases: Readonly<Record<Name, string>>,
  before = '',
): Record<Name, number> {
  const names = Object.keys(phases) as Name[];
  const stamp = 'date +%s%N >&3';
  const [, stamps] = run([before, stamp, ...names.flatMap((name) => [phases[name], stamp])].join('\n'));
  const at = stamps.trim().split('\n').map(Number);
  return Object.fromEntries(names.map((name, n) => [name, (at[n + 1]! - at[n]!) / 1e9])) as Record<Name, number>;
}

/** What the script says. @throws Error when it fails. */
export function shellOutput(script: string): string {
  return run(script)[0];
}

/** Standard output, and what is written to descriptor 3. */
function run(script: string): [stdout: string, third: string] {
  const { status, output } = spawnSync('unshare', ['--mount', 'bash', '-ec', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 2 ** 28,
  });
  const [stdout, stderr, third] = output.slice(1).map((text) => text ?? '');
  if (status !== 0) throw new Error(`a script failed:\n${script}\n${`${stdout}${stderr}`.slice(-4000)}`);
  return [stdout!, third!];
}
