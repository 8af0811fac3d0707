export { canonicalJson, type Json } from './canonical-json.ts';
export { digestOf, parseSha256, sha256, type Sha256 } from './digest.ts';
export { isElf, readElf, type Elf, type ElfHardening, type ElfSection } from './elf.ts';
export { contentDigest, normalizedFileDigest, type ContentFile, type RpmContent } from './content-digest.ts';
