/** Runs rpmlint on the RPMs of a package, in a root of its own, and reads what it finds. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import type { Blob, Store } from '@kiln/store';

/** Raise it when the same RPMs would be looked at in another way. */
export const LINT_RECIPE_VERSION = 1;

export interface LintInput {
  /** The name of the package, for errors. */
  readonly id: string;
  /** The root that rpmlint is in. */
  readonly layer: string;
  /** Text of its configuration, TOML. */
  readonly config: string;
  /** By file name. */
  readonly rpms: Readonly<Record<string, Blob>>;
}

/** One line of rpmlint. */
export interface LintFinding {
  readonly severity: 'error' | 'warning';
  /** `name.arch` of the RPM. */
  readonly subject: string;
  /** rpmlint's name of what is wrong, for example `non-readable`. */
  readonly rule: string;
  /** What it is about, often beginning with a path; may be empty. */
  readonly details: string;
}

/** More is no RPM but a loop. */
const SECONDS = 1800;
const DIRECTORY = '/tmp/rpms';

/** The findings, sorted as rpmlint tells them. @throws BuildError `LINT_UNUSABLE` when it doesn't come to its end. */
export async function lintPackages(host: Host, store: Store, input: LintInput): Promise<LintFinding[]> {
  if (Object.keys(input.rpms).length === 0) return [];
  const work = await makeWorkDirectory(host, store, 'lint');
  try {
    const rpms = join(work, 'rpms');
    await mkdir(rpms);
    for (const [name, blob] of Object.entries(input.rpms)) await store.materialize(blob, join(rpms, name));
    await writeFile(join(rpms, 'rpmlint.toml'), input.config);
    await giveToBuildUser(await buildUser(host), rpms);
    const { status, stdout, stderr, timedOut } = await runSandboxed(host, {
      layers: [input.layer],
      mounts: [{ source: rpms, target: DIRECTORY, writable: false }],
      cwd: DIRECTORY,
      argv: ['rpmlint', '--config', 'rpmlint.toml', ...Object.keys(input.rpms).sort()],
      environment: { HOME: '/tmp', LANG: 'C.UTF-8', PATH: '/usr/bin:/usr/sbin', TZ: 'UTC' },
      identity: 'builder',
      timeoutSeconds: SECONDS,
    });
    if (timedOut || !SUMMARY.test(stdout)) {
      const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-5).join('\n');
      throw new BuildError('LINT_UNUSABLE', `rpmlint of ${input.id} ended with status ${status}:\n${said}`, {
        hint: 'look at the configuration that "lint" in toolkit/distro.json names',
      });
    }
    return parseFindings(stdout);
  } finally {
    await removeWorkDirectory(host, work);
  }
}

/** Its last line (rpmlint/lint.py). */
const SUMMARY = /^ ?\d+ packages and \d+ specfiles checked; \d+ errors, \d+ warnings/m;

/** Lines `subject: E: rule details` (rpmlint/filter.py); what only tells or describes is passed over. */
export function parseFindings(output: string): LintFinding[] {
  return output.split('\n').flatMap((line): LintFinding[] => {
    const [, subject, letter, rule, details = ''] = /^([^\s(]\S*): ([EW]): (\S+) ?(.*)$/.exec(line) ?? [];
    if (rule === undefined || subject === undefined) return [];
    return [{ severity: letter === 'E' ? 'error' : 'warning', subject, rule, details }];
  });
}
