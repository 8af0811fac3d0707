/** Rules for compiled code: what the distribution's compiler and linker flags promise must be in every file. */
import type { FileRule, RuledFile } from './file-rules.ts';

/** `e_type` of ELF. */
const EXECUTABLE = 2;
/** `e_machine` of ELF by rpm's name of the architecture. */
const MACHINES: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183 };

export const HARDENING_RULES: readonly FileRule[] = [
  {
    code: 'ELF_NOT_PIE',
    hint: 'compile with -fPIE and link with -pie',
    check: (file, { architecture }) =>
      runsHere(file, architecture) && file.elf?.type === EXECUTABLE ? 'is not position-independent' : undefined,
  },
  {
    code: 'ELF_NO_RELRO',
    hint: "pass the distribution's linker flags to the build (%{build_ldflags} has -z relro)",
    check: (file, { architecture }) =>
      isLoaded(file, architecture) && file.elf?.hardening.relocationsReadOnly === false
        ? 'keeps its relocated data writable'
        : undefined,
  },
  {
    code: 'ELF_LAZY_BINDING',
    hint: "pass the distribution's linker flags to the build (%{build_ldflags} has -z now)",
    check: (file, { architecture }) =>
      isLoaded(file, architecture) && file.elf?.hardening.bindNow === false
        ? 'binds its symbols when they are first used'
        : undefined,
  },
  {
    code: 'ELF_EXECUTABLE_STACK',
    hint: 'give assembler files a .note.GNU-stack section, or link with -z noexecstack',
    check: (file, { architecture }) =>
      runsHere(file, architecture) && file.elf?.hardening.executableStack === true
        ? 'asks for an executable stack'
        : undefined,
  },
  {
    code: 'ELF_TEXT_RELOCATIONS',
    hint: 'compile all of it with -fPIC',
    check: (file, { architecture }) =>
      isLoaded(file, architecture) && file.elf?.hardening.textRelocations === true
        ? 'has relocations that write to its code'
        : undefined,
  },
  {
    code: 'COMPILER_FLAGS_IGNORED',
    hint: 'make the build system take CFLAGS and CXXFLAGS (%configure and %{set_build_flags} set them)',
    check: ({ elf, bytes }, { compilerFlags }) => {
      if (elf === undefined) return undefined;
      for (const producer of producersOf(bytes, elf)) {
        const missing = compilerFlags.filter((flag) => !decidesOn(producer, flag));
        if (missing.length > 0) return `has code compiled without ${missing.join(' ')}: ${producer}`;
      }
      return undefined;
    },
  },
];

/** Whether the file is code for this machine that a user's program runs, not a kernel, a boot loader, or debug information. */
function runsHere({ entry, elf }: RuledFile, architecture: string): boolean {
  const elsewhere = /^\/(boot|usr\/lib\/(debug|modules|firmware|grub))\//;
  return elf !== undefined && elf.machine === MACHINES[architecture] && elf.type > 1 && !elsewhere.test(entry.path);
}

function isLoaded(file: RuledFile, architecture: string): boolean {
  return runsHere(file, architecture) && file.elf?.hardening.dynamic === true;
}

/**
 * How GCC compiled C and C++ code, as it notes itself in debug information (DW_AT_producer; each text once).
 * Assembler code and other languages have no such flags.
 */
export function producersOf(bytes: Uint8Array, elf: NonNullable<RuledFile['elf']>): string[] {
  const found = new Set<string>();
  for (const { name, offset, size } of elf.sections) {
    if (name !== '.debug_str' && name !== '.debug_line_str') continue;
    const section = Buffer.from(bytes.buffer, bytes.byteOffset + offset, size);
    for (let at = section.indexOf('GNU C'); at >= 0; at = section.indexOf('GNU C', at + 1)) {
      if (at > 0 && section[at - 1] !== 0) continue;
      const end = section.indexOf(0, at);
      const text = section.toString('latin1', at, end < 0 ? section.length : end);
      if (/^GNU C(\+\+)?\d+ \d/.test(text)) found.add(text);
    }
  }
  return [...found];
}

/** Whether the flag, or another choice on the same subject such as `-fno-stack-protector`, is among the producer's options. */
function decidesOn(producer: string, flag: string): boolean {
  const subject = flag
    .replace(/^-f/, '')
    .replace(/=.*$/, '')
    .replace(/-(strong|all|explicit)$/, '');
  return producer
    .split(' ')
    .some((option) => option === flag || new RegExp(`^-f(no-)?${subject}(-strong|-all|-explicit|=.*)?$`).test(option));
}
