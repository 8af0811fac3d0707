/** Rules for the files of built RPMs: nothing of the builder, of Debian's layout or of the build directory may be inside. */
import { readElf, type Elf } from '@kiln/build-identity';
import { TOP_DIRECTORY } from './build-request.ts';
import type { LargePayloadFile, PayloadFile } from './build-root-files.ts';
import type { CheckCode } from './check-codes.ts';
import { HARDENING_RULES } from './hardening-rules.ts';
import { lineTablePaths } from './line-table.ts';

/** What the packages of the build root offer to a compiler and a linker. */
export interface BuildOffer {
  /** Library capabilities as rpm's elfdeps writes them, for example `libc.so.6(GLIBC_2.34)(64bit)`. */
  hasLibrary(capability: string): boolean;
  /** Whether a package of the root, or a development package of the toolchain, owns a file below `/usr/include`. */
  hasHeader(path: string): boolean;
}

/** What the files are measured by. */
export interface RuleContext extends BuildOffer {
  readonly architecture: string;
  /** Flags that all C and C++ code must be compiled with. */
  readonly compilerFlags: readonly string[];
}

/** A payload file with the package it is in. */
export interface RuledFile extends PayloadFile {
  readonly packageName: string;
  readonly elf: Elf | undefined;
}

/** Parses the ELF part once for all rules. */
export function ruledFile(packageName: string, file: PayloadFile): RuledFile {
  return { packageName, ...file, elf: readElf(file.bytes) };
}

export interface FileRule {
  readonly code: CheckCode;
  readonly hint: string;
  /** What is wrong, or undefined. */
  check(file: RuledFile, context: RuleContext): string | undefined;
}

const RULES: readonly FileRule[] = [
  {
    code: 'ELF_NEEDED_FOREIGN',
    hint: 'add the BuildRequires on the -devel package of this tree that has the library',
    check: ({ elf }, offer) => {
      const missing = elf === undefined ? [] : linkedCapabilities(elf).filter((one) => !offer.hasLibrary(one));
      return missing.length === 0
        ? undefined
        : `links to ${missing.join(', ')}, which no package of its build root provides`;
    },
  },
  {
    code: 'HEADER_FOREIGN',
    hint: 'add the BuildRequires on the -devel package of this tree that has the header',
    check: ({ elf, bytes }, offer) => {
      const used = elf === undefined ? [] : lineTablePaths(bytes, elf).filter(isSystemHeader);
      const foreign = used.filter((path) => !offer.hasHeader(path));
      return foreign.length === 0
        ? undefined
        : `was compiled with ${foreign.join(', ')}, which no package of its build root owns`;
    },
  },
  {
    code: 'ELF_RUN_PATH',
    hint: 'configure with --disable-rpath or remove the entry with chrpath',
    check: ({ elf }) => {
      const absolute = elf === undefined ? [] : elf.runPaths.filter((path) => !isBesideItself(path));
      return absolute.length === 0 ? undefined : `has the run path ${absolute.join(':')}`;
    },
  },
  {
    code: 'MULTIARCH_PATH',
    hint: 'pass the library directory to the build (%configure and %{_libdir} do)',
    check: ({ entry }) =>
      /\/[^/]+-linux-gnu\//.test(entry.path) && !isDebugPath(entry.path) ? 'lies in a multiarch directory' : undefined,
  },
  {
    code: 'BUILD_PATH_INSIDE',
    hint: 'use relative paths or -ffile-prefix-map; generated files must not name the build directory',
    check: ({ entry, bytes }) =>
      !isDebugPath(entry.path) && contains(bytes, `${TOP_DIRECTORY}/BUILD`)
        ? `contains the path ${TOP_DIRECTORY}/BUILD…`
        : undefined,
  },
];

/** A rule that a package breaks; `path` is the file that does, when it is one file. */
export interface Finding {
  readonly code: CheckCode;
  readonly path?: string;
  readonly message: string;
  readonly hint: string;
}

/** Applies all rules to a file. */
export function checkFile(file: RuledFile, context: RuleContext): Finding[] {
  return [...RULES, ...HARDENING_RULES].flatMap(({ code, hint, check }): Finding[] => {
    const found = check(file, context);
    const { path } = file.entry;
    return found === undefined ? [] : [{ code, path, message: `${path} of ${file.packageName} ${found}`, hint }];
  });
}

/** That nobody looks into it is accepted of debug information alone. */
export function checkLargeFile(packageName: string, { entry: { path } }: LargePayloadFile): Finding[] {
  if (isDebugPath(path)) return [];
  const message = `${path} of ${packageName} has more than 2 GiB and is not examined`;
  return [
    { code: 'FILE_NOT_EXAMINED', path, message, hint: 'when it is data, waive the rule for it with that reason' },
  ];
}

/** The capabilities that an ELF file needs of libraries: sonames and their versions, in rpm's notation. */
export function linkedCapabilities(elf: Elf): string[] {
  const suffix = elf.bits === 64 ? '(64bit)' : '';
  const marker = elf.bits === 64 ? '()(64bit)' : '';
  return [
    ...elf.needed.map((library) => `${library}${marker}`),
    ...elf.versionNeeds.map(({ library, version }) => `${library}(${version})${suffix}`),
  ];
}

/** The capabilities that a library offers by itself. */
export function offeredCapabilities(elf: Elf, fileName: string): string[] {
  const soname = elf.soname ?? fileName;
  const suffix = elf.bits === 64 ? '(64bit)' : '';
  return [
    `${soname}${elf.bits === 64 ? '()(64bit)' : ''}`,
    ...elf.versionDefinitions.map((version) => `${soname}(${version})${suffix}`),
  ];
}

/** `$ORIGIN` is where the file itself lies: plug-ins find the libraries that come with them, wherever the tree is. */
function isBesideItself(runPath: string): boolean {
  return /^\$(ORIGIN|\{ORIGIN\})(\/[^.][^/]*)*$/.test(runPath);
}

function isSystemHeader(path: string): boolean {
  return /^\/usr\/(local\/)?include\//.test(path);
}

function isDebugPath(path: string): boolean {
  return path.startsWith('/usr/lib/debug/') || path.startsWith('/usr/src/debug/');
}

function contains(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text);
}
