/** Rules for the RPMs of one build as packages: licences and debug information. */
import parseSpdx from 'spdx-expression-parse';
import { FILE_FLAG, isRegular, type RpmPackage } from '@kiln/rpm-repository';
import type { Finding } from './file-rules.ts';

/** Applies all rules to the binary packages of a build. */
export function checkPackages(packages: readonly RpmPackage[]): Finding[] {
  return [...packages.flatMap(checkLicenseTag), ...checkLicenseFiles(packages), ...checkDebugInformation(packages)];
}

function checkLicenseTag({ name, license = '' }: RpmPackage): Finding[] {
  try {
    parseSpdx(license);
    return [];
  } catch {
    const message = `the License of ${name} is no SPDX expression: '${license}'`;
    return [
      { code: 'LICENSE_NOT_SPDX', message, hint: 'use the identifiers of the SPDX list, joined by AND, OR, WITH' },
    ];
  }
}

/** A package with files has a `%license` file, or needs one of the same build that has. */
function checkLicenseFiles(packages: readonly RpmPackage[]): Finding[] {
  const byCapability = new Map(packages.flatMap((one) => one.provides.map(({ name }) => [name, one] as const)));
  const licensed = (one: RpmPackage, seen: ReadonlySet<string> = new Set()): boolean =>
    one.files.some(({ flags }) => (flags & FILE_FLAG.license) !== 0) ||
    one.requires.some(({ name }) => {
      const needed = byCapability.get(name);
      return needed !== undefined && !seen.has(needed.name) && licensed(needed, new Set([...seen, one.name]));
    });
  return packages
    .filter((one) => one.files.length > 0 && !isDebugPackage(one) && !licensed(one))
    .map(({ name }) => ({
      code: 'LICENSE_FILE_MISSING',
      message: `neither ${name} nor a package of the same build that it requires has a %license file`,
      hint: 'list the text of the licence in %files with %license',
    }));
}

/** Files that RPM knows to be 32- or 64-bit ELF code come with a `-debuginfo` package. */
function checkDebugInformation(packages: readonly RpmPackage[]): Finding[] {
  if (packages.some(isDebugPackage)) return [];
  const code = packages.flatMap(({ name, files }) =>
    files
      .filter((file) => isRegular(file) && file.color > 0 && isLinked(file.class ?? ''))
      .map(({ path }) => ({ name, path })),
  );
  const [first] = code;
  if (first === undefined) return [];
  return [
    {
      code: 'DEBUGINFO_MISSING',
      path: first.path,
      message: `${first.path} of ${first.name} is compiled code, but the build made no -debuginfo package`,
      hint: 'compile with -g, do not strip, and leave %debug_package enabled',
    },
  ];
}

function isDebugPackage({ name }: RpmPackage): boolean {
  return /-debug(info|source)$/.test(name);
}

/** libmagic's words for programs and libraries; object files and archives have no debug package of their own. */
function isLinked(fileClass: string): boolean {
  return /\b(executable|shared object)\b/.test(fileClass);
}
