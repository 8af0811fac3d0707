/** Fills an empty root with packages: one rpm transaction in the sandbox. */
import { constants, copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { inParallel, type Host } from '@kiln/host';
import { formatNevra } from '@kiln/rpm-package';
import { readRpmHeader } from '@kiln/rpm-repository';
import { digestFile } from '@kiln/store';
import type { ImagePorts, ToolResult } from './image-ports.ts';
import type { ImageRequest } from './image-request.ts';

/** Where the rpm database is in an image; part of the layout of the distribution. */
export const RPM_DATABASE = '/usr/lib/sysimage/rpm';

/** Places in the sandbox. */
export const ROOT = '/image';
export const OUTPUT = '/output';
const PACKAGES = '/packages';

/** Where these places are on the machine. */
export interface ImageDirectories {
  readonly root: string;
  readonly output: string;
}

/** The environment of every program that works on an image. */
export function toolEnvironment(sourceDateEpoch: number): Record<string, string> {
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    // Gives rpm its install time and the transaction's id (rpm ≥ 4.18), so that the database is the same each time.
    SOURCE_DATE_EPOCH: String(sourceDateEpoch),
  };
}

/** Notes the time before the first change, then becomes rpm. */
const INSTALL_SCRIPT = `set -eu; touch ${OUTPUT}/begin; exec rpm "$@"`;

/**
 * Checks the RPMs and installs them, in one transaction, with their scriptlets.
 * @throws BuildError `RPM_DIGEST_MISMATCH`, `IMAGE_RPM_UNEXPECTED`, `IMAGE_EPOCH_TOO_OLD`, `IMAGE_INSTALL_FAILED`, `IMAGE_OWNER_UNKNOWN`,
 * `IMAGE_SCRIPTLET_FAILED`
 */
export async function installPackages(
  host: Host,
  ports: ImagePorts,
  request: ImageRequest,
  directories: ImageDirectories,
): Promise<void> {
  const packages = join(directories.output, 'packages');
  await mkdir(packages);
  const files = await placePackages(request, packages);
  const total = request.rpms.length;
  let done = 0;
  const result = await ports.run({
    argv: installCommand(request, files),
    mounts: [
      { source: directories.root, target: ROOT, writable: true },
      { source: directories.output, target: OUTPUT, writable: true },
      { source: packages, target: PACKAGES, writable: false },
    ],
    environment: toolEnvironment(request.sourceDateEpoch),
    deviceDirectories: [`${ROOT}/dev`],
    ...(request.log === undefined ? {} : { log: request.log }),
    onLine: (message) => {
      // With --verbose rpm names each package that it begins to install.
      if (!/^\S+-[^-\s]+-[^-\s]+\.\w+$/.test(message)) return;
      done += 1;
      const subject = request.definition.name;
      host.emit({
        type: 'progress',
        action: 'image',
        subject,
        message: `installing ${message}`,
        done,
        total,
        unit: 'packages',
      });
    },
  });
  await rm(packages, { recursive: true });
  refuseFailure(request, result);
}

/** RPMs that are looked at together. */
const AT_ONCE = 4;

/** Copies each RPM, and checks the copy, so that what is checked is what is installed. Gives the paths in the sandbox. */
async function placePackages(request: ImageRequest, directory: string): Promise<string[]> {
  return inParallel([...request.rpms.entries()], AT_ONCE, async ([index, { path, nevra, sha256 }]) => {
    const name = `${String(index + 1).padStart(5, '0')}.rpm`;
    const copy = join(directory, name);
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
    const found = await digestFile(copy);
    if (found !== sha256) {
      throw new BuildError('RPM_DIGEST_MISMATCH', `${path} (${nevra}) has SHA-256 ${found}, expected ${sha256}`, {
        hint: 'build the package again',
      });
    }
    const { package: rpm } = await readRpmHeader(copy);
    if (formatNevra(rpm) !== nevra) {
      throw new BuildError('IMAGE_RPM_UNEXPECTED', `${path} is ${formatNevra(rpm)}, expected was ${nevra}`);
    }
    if ((rpm.buildTime ?? 0) > request.sourceDateEpoch) {
      const message = `${nevra} was built at ${rpm.buildTime}, after the image's source date epoch ${request.sourceDateEpoch}`;
      throw new BuildError('IMAGE_EPOCH_TOO_OLD', message, { hint: 'use the latest build time of the packages' });
    }
    return `${PACKAGES}/${name}`;
  });
}

function installCommand({ definition }: ImageRequest, files: readonly string[]): [string, ...string[]] {
  const options = [
    '--install',
    '--verbose',
    ...['--root', ROOT],
    ...['--define', `_dbpath ${RPM_DATABASE}`],
    // What the sandbox's own system would do beside installing.
    '--noplugins',
    // The digest of the whole file was compared.
    ...['--nosignature', '--nodigest'],
    ...(definition.disableRpmDocs ? ['--excludedocs'] : []),
    ...(definition.languages === undefined ? [] : ['--define', `_install_langs ${definition.languages}`]),
  ];
  return ['bash', '-c', INSTALL_SCRIPT, 'kiln', ...options, ...files];
}

/** What rpm only warns of although the image would be wrong. */
const FATAL_MESSAGES: readonly { readonly pattern: RegExp; readonly code: string; readonly hint: string }[] = [
  {
    pattern: /^warning: (user|group) \S+ does not exist - using root/,
    code: 'IMAGE_OWNER_UNKNOWN',
    hint: 'add it to the static users and groups of the package that owns /etc/passwd',
  },
  {
    pattern: /scriptlet failed/,
    code: 'IMAGE_SCRIPTLET_FAILED',
    hint: "run it by hand in the root, or see the package's scriptlets: rpm -qp --scripts",
  },
];

function refuseFailure({ definition, log }: ImageRequest, { status, stdout, stderr }: ToolResult): void {
  const lines = [...new Set(`${stderr}\n${stdout}`.split('\n'))].filter((line) => line.trim() !== '');
  for (const { pattern, code, hint } of FATAL_MESSAGES) {
    const found = lines.filter((line) => pattern.test(line));
    if (found.length === 0) continue;
    throw new BuildError(code, `${definition.name}: ${found[0]}`, {
      diagnostics: asDiagnostics(code, found),
      hint,
      log,
    });
  }
  if (status === 0) return;
  const reasons = lines.filter((line) => /^error:|^\s/.test(line));
  throw new BuildError(
    'IMAGE_INSTALL_FAILED',
    `${definition.name}: rpm could not install the packages (status ${status})`,
    {
      diagnostics: asDiagnostics('IMAGE_INSTALL_FAILED', reasons.length > 0 ? reasons : lines.slice(-10)),
      log,
    },
  );
}

function asDiagnostics(code: string, lines: readonly string[]): Diagnostic[] {
  return lines.map((line) => ({ severity: 'error', code, message: line.trim() }));
}
