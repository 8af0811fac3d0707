/** The rules for what was built, by the codes that policies and waivers name. */
export const CHECK_CODES = [
  'BUILD_PATH_INSIDE',
  'COMPILER_FLAGS_IGNORED',
  'DEBUGINFO_MISSING',
  'ELF_EXECUTABLE_STACK',
  'ELF_LAZY_BINDING',
  'ELF_NEEDED_FOREIGN',
  'ELF_NOT_PIE',
  'ELF_NO_RELRO',
  'ELF_RUN_PATH',
  'ELF_TEXT_RELOCATIONS',
  'FILE_NOT_EXAMINED',
  'HEADER_FOREIGN',
  'LICENSE_FILE_MISSING',
  'LICENSE_NOT_SPDX',
  'MULTIARCH_PATH',
] as const;

export type CheckCode = (typeof CHECK_CODES)[number];
